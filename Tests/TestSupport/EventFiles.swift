import Foundation

/// One field of a protocol-buffer message.
package enum ProtobufField: Equatable, Sendable {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    case bytes(Data)

    /// The fields of a message that lies in this one; none where it is a number.
    package var fields: [Int: ProtobufField] {
        if case .bytes(let data) = self { ProtobufField.read(data) } else { [:] }
    }

    /// The last of each number's fields.
    package static func read(_ message: Data) -> [Int: ProtobufField] {
        Dictionary(list(message).map { ($0.number, $0.field) }) { $1 }
    }

    /// Every field in order: a decoder written from the format's description alone.
    package static func list(_ message: Data) -> [(number: Int, field: ProtobufField)] {
        let bytes = [UInt8](message)
        var position = 0
        func varint() -> UInt64 {
            var (value, shift): (UInt64, UInt64) = (0, 0)
            while true {
                let byte = bytes[position]
                position += 1
                value |= UInt64(byte & 0x7F) << shift
                shift += 7
                if byte < 0x80 { return value }
            }
        }
        var fields: [(number: Int, field: ProtobufField)] = []
        while position < bytes.count {
            let key = varint()
            let field: ProtobufField
            switch key & 7 {
            case 0: field = .varint(varint())
            case 1:
                field = .fixed64(littleEndian(message, at: position, as: UInt64.self))
                position += 8
            case 5:
                field = .fixed32(littleEndian(message, at: position, as: UInt32.self))
                position += 4
            default:
                let length = Int(varint())
                field = .bytes(Data(bytes[position..<(position + length)]))
                position += length
            }
            fields.append((Int(key >> 3), field))
        }
        return fields
    }
}

/// One record of a TensorBoard event file: an event, with the checksums that stand before and after it.
package struct EventRecord {
    /// The eight bytes that hold the event's length.
    package let length: Data
    package let lengthChecksum: UInt32
    package let event: Data
    package let eventChecksum: UInt32

    /// The records of a file; nil where the last one is torn.
    package static func read(_ url: URL) throws -> [EventRecord]? {
        var rest = try Data(contentsOf: url)
        var records: [EventRecord] = []
        while !rest.isEmpty {
            guard rest.count >= 12 else { return nil }
            let length = Int(littleEndian(rest, at: 0, as: UInt64.self))
            guard rest.count >= 16 + length else { return nil }
            records.append(
                EventRecord(
                    length: Data(rest.prefix(8)), lengthChecksum: littleEndian(rest, at: 8, as: UInt32.self),
                    event: Data(rest.dropFirst(12).prefix(length)),
                    eventChecksum: littleEndian(rest, at: 12 + length, as: UInt32.self)))
            rest = Data(rest.dropFirst(16 + length))
        }
        return records
    }
}

private func littleEndian<Integer: FixedWidthInteger>(_ data: Data, at offset: Int, as type: Integer.Type) -> Integer {
    (0..<(Integer.bitWidth / 8)).reduce(0) { $0 | Integer(data[data.startIndex + offset + $1]) << (8 * Integer($1)) }
}

import Foundation

/// Encodes protocol-buffer messages: the wire types varint, fixed 32, fixed 64 and length-delimited.
///
/// Based on: protobuf.dev, "Encoding". Fields are written in the order they are appended.
package struct ProtobufMessage {
    package private(set) var data = Data()

    package init() {}

    /// int32, int64, uint64, bool or enum; negative numbers take ten bytes, as the format requires.
    package mutating func append(field: Int, varint value: Int64) {
        appendKey(field, wireType: 0)
        appendVarint(UInt64(bitPattern: value))
    }

    package mutating func append(field: Int, double value: Double) {
        appendKey(field, wireType: 1)
        data.appendLittleEndian(value.bitPattern)
    }

    package mutating func append(field: Int, float value: Float) {
        appendKey(field, wireType: 5)
        data.appendLittleEndian(value.bitPattern)
    }

    package mutating func append(field: Int, bytes value: Data) {
        appendKey(field, wireType: 2)
        appendVarint(UInt64(value.count))
        data.append(value)
    }

    package mutating func append(field: Int, string value: String) {
        append(field: field, bytes: Data(value.utf8))
    }

    package mutating func append(field: Int, message: ProtobufMessage) {
        append(field: field, bytes: message.data)
    }

    private mutating func appendKey(_ field: Int, wireType: UInt64) {
        appendVarint(UInt64(field) << 3 | wireType)
    }

    /// Seven bits a byte, low bits first; the top bit says that more follow.
    private mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            data.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        data.append(UInt8(rest))
    }
}

extension Data {
    package mutating func appendLittleEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}

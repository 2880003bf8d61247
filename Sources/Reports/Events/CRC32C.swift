import Foundation

/// The Castagnoli cyclic redundancy check (RFC 3720, reflected polynomial 0x82F63B78), and its masked form.
enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in
            value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1
        }
    }

    static func checksum(_ data: Data) -> UInt32 {
        var state = UInt32.max
        for byte in data {
            state = table[Int(UInt8(truncatingIfNeeded: state) ^ byte)] ^ state >> 8
        }
        return ~state
    }

    /// The form stored in record files: rotated and offset, so that a checksum of data with checksums stays strong.
    static func masked(_ data: Data) -> UInt32 {
        let value = checksum(data)
        return (value >> 15 | value << 17) &+ 0xA282_EAD8
    }
}

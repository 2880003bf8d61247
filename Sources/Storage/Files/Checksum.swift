import Foundation

/// A 64-bit checksum against accidents (cut files, blocks of zeros, flipped bits), not against malice.
enum Checksum {
    /// FNV-1a taken over little-endian 64-bit words rather than bytes, the tail padded with zeros, then the length.
    /// Every step is one-to-one in the word, so that a change within a single word never goes unseen.
    static func of(_ file: RegularFile) throws -> String {
        let chunk = 1 << 20  // a whole number of words
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func mix(_ word: UInt64) { hash = (hash ^ word) &* 0x0000_0100_0000_01b3 }
        var offset = 0
        while offset < file.size {
            var bytes = try file.bytes(at: offset, count: min(chunk, file.size - offset))
            offset += bytes.count
            while bytes.count % 8 != 0 { bytes.append(0) }
            bytes.withUnsafeBytes { buffer in
                for start in stride(from: 0, to: buffer.count, by: 8) {
                    mix(UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: start, as: UInt64.self)))
                }
            }
        }
        mix(UInt64(file.size))
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

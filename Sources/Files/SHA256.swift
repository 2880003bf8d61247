import COpenSSL

/// SHA-256 (FIPS 180-4), by the system's libcrypto: tells contents apart for certain,
/// where a checksum only tells accidents.
public struct SHA256: ~Copyable {
    private static let digestBytes = 32
    private let context = EVP_MD_CTX_new()

    public init() {
        Self.mustSucceed(EVP_DigestInit_ex(context, EVP_sha256(), nil))
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    /// Takes in more bytes; how they are divided among calls makes no difference.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        Self.mustSucceed(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count))
    }

    public mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    public mutating func update(_ text: String) {
        update(Array(text.utf8))
    }

    /// The digest of all that was taken in so far: 64 lower-case hexadecimal digits.
    public func digest() -> String {
        // Finishing ends a computation, so a copy is finished.
        let copy = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(copy) }
        var digest = [UInt8](repeating: 0, count: Self.digestBytes)
        Self.mustSucceed(EVP_MD_CTX_copy_ex(copy, context))
        Self.mustSucceed(EVP_DigestFinal_ex(copy, &digest, nil))
        return digest.map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }

    /// libcrypto fails here for want of memory or of SHA-256 itself; no input makes it.
    private static func mustSucceed(_ status: Int32) {
        precondition(status == 1, "libcrypto cannot compute SHA-256")
    }
}

extension SHA256 {
    /// The digest of a file's bytes.
    package static func digest(of file: RegularFile) throws -> String {
        var hash = SHA256()
        var offset = 0
        while offset < file.size {
            let bytes = try file.bytes(at: offset, count: min(1 << 20, file.size - offset))
            hash.update(bytes)
            offset += bytes.count
        }
        return hash.digest()
    }
}

import Files
import Testing

/// Digests against the examples of FIPS 180-4 and NIST's test vectors.
@Suite struct SHA256Tests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
                + "nopqrstu", "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
        (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
    func publishedDigests(text: String, digest: String) {
        var hash = SHA256()
        hash.update(text)
        #expect(hash.digest() == digest)
    }

    /// Around the lengths at which padding takes another block, by Python's hashlib.
    @Test(arguments: [
        (55, "463eb28e72f82e0a96c0a4cc53690c571281131f672aa229e0d45ae59b598b59"),
        (56, "da2ae4d6b36748f2a318f23e7ab1dfdf45acdc9d049bd80e59de82a60895f562"),
        (64, "fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108"),
    ])
    func lengthsNearABlock(count: Int, digest: String) {
        var hash = SHA256()
        hash.update((0..<count).map { UInt8($0) })
        #expect(hash.digest() == digest)
    }

    @Test func anyDivisionIntoPartsGivesTheSame() {
        let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 * 7) }
        var whole = SHA256()
        whole.update(bytes)
        for size in [1, 3, 63, 64, 65, 127, 128, 200] {
            var parts = SHA256()
            for start in stride(from: 0, to: bytes.count, by: size) {
                parts.update(Array(bytes[start..<min(start + size, bytes.count)]))
            }
            #expect(parts.digest() == whole.digest())
            #expect(parts.digest() == whole.digest(), "a digest taken changes nothing")
        }
    }
}

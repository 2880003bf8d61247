import TestSupport
import Foundation
import Testing

@testable import Imagery

struct PNGReadingTests {
    struct Expected: Decodable {
        let width: Int
        let height: Int
        let channels: Int
        let pixels: [UInt8]
    }

    @Test func everyColourTypeGivesTheExpectedPixels() throws {
        let expected = try Fixtures.json("imagery/png/expected.json", as: [String: Expected].self)
        #expect(expected.count == 52)
        for (name, image) in expected.sorted(by: { $0.key < $1.key }) {
            let read = try PNG.read(Fixtures.url("imagery/png/\(name)"))
            #expect(
                read
                    == Image(width: image.width, height: image.height, channels: image.channels, pixels: image.pixels),
                "\(name)")
        }
    }

    @Test(arguments: [
        ("text-checksum", "CRC"), ("palette-index", "palette"), ("no-palette", "PLTE"), ("no-width", "IHDR"),
        ("too-few-rows", "data"), ("no-end", "early"), ("not-a-png", "signature"), ("empty", "signature"),
    ])
    func brokenFilesAreNamed(name: String, reason: String) throws {
        let url = Fixtures.url("imagery/png-bad/\(name).png")
        let error = #expect(throws: ImageFileError.self) { try PNG.read(url) }
        guard case .broken(let file, "PNG", let text)? = error else {
            Issue.record("expected a broken file, got \(String(describing: error))")
            return
        }
        #expect(file == url.path)
        #expect(text.contains(reason), "\(name): \(text)")
    }

    @Test func largeImagesAreRefusedBeforeTheyAreDecoded() throws {
        for (name, width, height) in [("too-wide", 40_000, 7), ("too-many-pixels", 30_000, 30_000)] {
            let url = Fixtures.url("imagery/png-bad/\(name).png")
            #expect(throws: ImageFileError.tooLarge(file: url.path, width: width, height: height)) { try PNG.read(url) }
        }
    }

    @Test func everyTruncationIsAnError() throws {
        for name in ["rgb-8", "palette-4-trns-interlaced", "grey-16-interlaced"] {
            let data = try Data(contentsOf: Fixtures.url("imagery/png/\(name).png"))
            for length in 0..<data.count {
                #expect(throws: ImageFileError.self, "\(name) cut to \(length)") {
                    try PNG.decode(data.prefix(length), name: name)
                }
            }
        }
    }

    @Test func everyFlippedByteIsAnError() throws {
        for name in ["rgb-8", "palette-4-trns-interlaced", "grey-alpha-16"] {
            let data = try Data(contentsOf: Fixtures.url("imagery/png/\(name).png"))
            for position in data.indices {
                for mask: UInt8 in [0x01, 0x80, 0xff] {
                    var damaged = data
                    damaged[position] ^= mask
                    // Each byte stands under the signature, a length, a checksum or a checksummed body.
                    #expect(throws: ImageFileError.self, "\(name), byte \(position) ^ \(mask)") {
                        try PNG.decode(damaged, name: name)
                    }
                }
            }
        }
    }

    @Test func damageUnderAValidChecksumNeverCrashes() throws {
        // Checksums are put right again after the damage, so that it reaches the decoder.
        for name in ["rgb-8", "palette-4-trns-interlaced", "grey-16-trns", "rgba-8-interlaced"] {
            let data = [UInt8](try Data(contentsOf: Fixtures.url("imagery/png/\(name).png")))
            for position in 8..<data.count {
                for mask: UInt8 in [0x01, 0x08, 0xff] {
                    var damaged = data
                    damaged[position] ^= mask
                    repairChecksums(&damaged)
                    do {
                        let image = try PNG.decode(Data(damaged), name: name)
                        #expect(image.pixels.count == image.width * image.height * image.channels)
                    } catch is ImageFileError {}
                }
            }
        }
    }

    @Test func whatIsNoFileIsRefused() throws {
        try withTemporaryFolder { folder in
            let missing = folder.appendingPathComponent("missing.png")
            #expect(message { _ = try PNG.read(missing) }.contains("missing.png: no such file"))
            #expect(message { _ = try PNG.read(folder) }.contains("got a folder or a device"))
            let pipe = folder.appendingPathComponent("pipe.png")
            #expect(mkfifo(pipe.path, 0o600) == 0)
            #expect(message { _ = try PNG.read(pipe) }.contains("got a folder or a device"))
        }
    }

    private func repairChecksums(_ bytes: inout [UInt8]) {
        var start = 8
        while start + 12 <= bytes.count {
            let length = bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= bytes.count - start - 12 else { return }
            let sum = crc32(bytes[start + 4..<start + 8 + length])
            for i in 0..<4 { bytes[start + 8 + length + i] = UInt8(truncatingIfNeeded: sum >> (24 - 8 * UInt32(i))) }
            start += 12 + length
        }
    }
}

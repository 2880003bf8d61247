import TestSupport
import Foundation
import Testing

@testable import Imagery

/// The pictures under `jpeg` were written and read by Pillow; what it read lies beside them as PNG.
struct JPEGReadingTests {
    private func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: Fixtures.url("imagery/\(folder)").path)
            .filter { $0.hasSuffix(".jpg") }.map { String($0.dropLast(4)) }.sorted()
    }

    private func data(_ name: String) throws -> Data {
        try Data(contentsOf: Fixtures.url("imagery/jpeg/\(name).jpg"))
    }

    @Test func pixelsAreThoseOfPillow() throws {
        let names = try names("jpeg")
        #expect(names.count == 32)
        for name in names {
            let expected = try PNG.read(Fixtures.url("imagery/jpeg/\(name).png"))
            #expect(try JPEG.read(Fixtures.url("imagery/jpeg/\(name).jpg")) == expected, "\(name)")
        }
    }

    @Test(arguments: [
        ("no-end", "Premature end"), ("half", "Premature end"), ("header-only", "Premature end"),
        ("too-short", "too short for the size"), ("no-width", "Empty JPEG image"), ("more-rows", "Corrupt JPEG data"),
        ("12-bits", "precision 12"), ("2-components", "marker length"), ("garbage", "Corrupt JPEG data"),
        ("not-a-jpeg", "signature"),
    ])
    func brokenFilesAreNamed(name: String, reason: String) throws {
        let url = Fixtures.url("imagery/jpeg-bad/\(name).jpg")
        let error = #expect(throws: ImageFileError.self) { try ImageFile.read(url) }
        guard case .broken(let file, "JPEG", let text)? = error else {
            Issue.record("expected a broken file, got \(String(describing: error))")
            return
        }
        #expect(file == url.path)
        #expect(text.contains(reason), "\(name): \(text)")
    }

    @Test func largeImagesAreRefusedBeforeTheyAreDecoded() throws {
        for (name, width, height) in [("too-wide", 40_000, 7), ("too-many-pixels", 30_000, 30_000)] {
            let url = Fixtures.url("imagery/jpeg-bad/\(name).jpg")
            #expect(throws: ImageFileError.tooLarge(file: url.path, width: width, height: height)) {
                try JPEG.read(url)
            }
        }
    }

    @Test func everyTruncationIsAnError() throws {
        for name in ["rgb-420-75", "progressive-420", "grey", "cmyk"] {
            let data = try data(name)
            for length in 0..<data.count {
                #expect(throws: ImageFileError.self, "\(name) cut to \(length)") {
                    try JPEG.decode(data.prefix(length), name: name)
                }
            }
        }
    }

    @Test func damageNeverCrashes() throws {
        var (read, refused) = (0, 0)
        for name in ["rgb-420-75", "progressive-420", "restarts", "ycck", "orientation-6", "orientation-little-endian"]
        {
            let data = [UInt8](try data(name))
            for position in data.indices {
                for mask: UInt8 in [0x01, 0x08, 0x80, 0xff] {
                    var damaged = data
                    damaged[position] ^= mask
                    do {
                        let image = try JPEG.decode(Data(damaged), name: name)
                        #expect(image.pixels.count == image.width * image.height * image.channels)
                        read += 1
                    } catch is ImageFileError {
                        refused += 1
                    }
                }
            }
        }
        // Other tables and coefficients are other pictures; lengths, markers and codes are not.
        #expect(read > 1000 && refused > 1000, "\(read) read, \(refused) refused")
    }

    /// A file of scans without end, each over the whole image.
    @Test func scansWithoutEndAreRefused() throws {
        let data = [UInt8](try data("grey-progressive"))
        let scans = data.indices.dropLast().filter { data[$0] == 0xff && data[$0 + 1] == 0xda }
        let last = try #require(scans.last)
        let scan = data[last..<(data.count - 2)]
        var bytes = Array(data.dropLast(2))
        for _ in 0..<600 { bytes += scan }
        bytes += data.suffix(2)
        let text = message { _ = try JPEG.decode(Data(bytes), name: "scans") }
        #expect(["more than 500 scans", "Corrupt", "progression"].contains(where: text.contains), "\(text)")
    }

    @Test func orientationThatCannotBeReadIsUpright() throws {
        let good = [UInt8](try data("orientation-6"))
        let upright = try JPEG.decode(data("orientation-1"), name: "1")
        let mark = try #require(good.indices.first { good[$0...].starts(with: "Exif\0\0".utf8) })
        // The directory's place, its count, the tag, and the value: beyond the end, or of no meaning.
        let changes: [[Int: UInt8]] = [
            [10: 0xff, 13: 0xff], [15: 0], [16: 0x13], [25: 9], [25: 0], [6: 0],
        ]
        for change in changes {
            var bytes = good
            for (offset, value) in change { bytes[mark + offset] = value }
            #expect(try JPEG.decode(Data(bytes), name: "exif") == upright, "\(change)")
        }
    }

    @Test func contentsDecideAndNotNames() throws {
        try withTemporaryFolder { folder in
            let png = Fixtures.url("imagery/png/rgb-8.png")
            let jpeg = Fixtures.url("imagery/jpeg/rgb-420-75.jpg")
            let photo = folder.appendingPathComponent("photo.png")
            let drawing = folder.appendingPathComponent("drawing.JPG")
            try FileManager.default.copyItem(at: jpeg, to: photo)
            try FileManager.default.copyItem(at: png, to: drawing)
            #expect(try ImageFile.read(photo) == JPEG.read(jpeg))
            #expect(try ImageFile.read(drawing) == PNG.read(png))

            let webP = Fixtures.url("imagery/jpeg-bad/webp.jpg")
            let text = message { _ = try ImageFile.read(webP) }
            #expect(
                text.contains("webp.jpg holds a WebP image") && text.contains("mogrify -format png webp.jpg"), "\(text)"
            )
        }
    }

    @Test(arguments: ["x.png", "x.jpg"])
    func pointersOfGitLFSAreNamed(name: String) throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent(name)
            try Data(
                "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n".utf8
            ).write(to: url)
            let text = message { _ = try ImageFile.read(url) }
            #expect(text.contains("\(name): this is a Git LFS pointer, not the file: run git lfs pull"), "\(text)")
        }
    }
}

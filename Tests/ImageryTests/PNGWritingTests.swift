import TestSupport
import Foundation
import Testing

@testable import Imagery

struct PNGWritingTests {
    @Test(arguments: [1, 3, 4])
    func whatIsWrittenIsReadBack(channels: Int) throws {
        try withTemporaryFolder { folder in
            for (width, height) in [(1, 1), (13, 5), (300, 200)] {
                let image = noiseImage(width, height, channels)
                let url = folder.appendingPathComponent("image.png")
                try PNG.write(image, to: url)
                #expect(try PNG.read(url) == image)
                #expect(try Data(contentsOf: url) == PNG.encode(image))
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["image.png"])
        }
    }

    @Test func aFailedWriteLeavesNothingAndNamesTheFile() throws {
        try withTemporaryFolder { parent in
            let image = noiseImage(4, 4, 3)
            let nowhere = parent.appendingPathComponent("nowhere/image.png")
            #expect(message { try PNG.write(image, to: nowhere) }.contains("nowhere/image.png: no such file"))
            // A folder cannot be replaced by a file: the rename fails after the temporary file was written.
            let taken = try folder(parent, "taken.png")
            #expect(throws: ImageFileError.self) { try PNG.write(image, to: taken) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: parent.path) == ["taken.png"])
        }
    }

    @Test func imagesOverTheLimitsAreNotEncoded() {
        let image = Image(width: PNG.maximumSide + 1, height: 1, channels: 1, filledWith: .black)
        #expect(message { _ = try PNG.encode(image) }.contains("32769×1"))
    }
}

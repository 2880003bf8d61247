import TestSupport
import Foundation
import Imagery
import Testing

/// Data-set files of any content: they are read or refused, without a trap and without memory that the file is not
/// worth.
@Suite struct DatasetFuzzTests {
    private struct Tally {
        var read = 0
        var refused = 0
    }

    /// Reads the file with several specifications.
    private func attempt(_ url: URL, _ tally: inout Tally) {
        for specification in [
            DatasetSpecification(path: url.path), DatasetSpecification(path: url.path, size: 8, channels: 3),
            DatasetSpecification(path: url.path, size: 5, channels: 1, fit: .resize, limit: 1),
        ] {
            let start = ContinuousClock.now
            do {
                let dataset = try DatasetReader.open(specification)
                var pixels = [Float](repeating: .nan, count: dataset.height * dataset.width * dataset.channels)
                dataset.read(dataset.count - 1, into: &pixels)
                if !pixels.allSatisfy({ (-1...1).contains($0) }) { Issue.record("pixels out of range") }
                tally.read += 1
            } catch {
                tally.refused += 1
            }
            if ContinuousClock.now - start > .seconds(10) { Issue.record("\(url.lastPathComponent) took long") }
        }
    }

    private func write(_ bytes: [UInt8], to url: URL) throws {
        unlink(url.path)
        #expect(FileManager.default.createFile(atPath: url.path, contents: Data(bytes)))
    }

    /// Every byte of the first `header` and some of the rest changed, and every length.
    private func mutations(of bytes: [UInt8], header: Int) -> [[UInt8]] {
        var result: [[UInt8]] = []
        for index in Array(0..<min(header, bytes.count)) + Array(stride(from: header, to: bytes.count, by: 7)) {
            for value: UInt8 in [0, 1, 0x7f, 0x80, 0xff, bytes[index] ^ 1, bytes[index] ^ 0x10] {
                var changed = bytes
                changed[index] = value
                result.append(changed)
            }
        }
        for length in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 60)) {
            result.append(Array(bytes[..<length]))
        }
        return result + [bytes + [0], bytes + bytes]
    }

    private func big(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

    @Test func idxFiles() throws {
        try withTemporaryFolder { folder in
            let images = folder.appendingPathComponent("train-images-idx3-ubyte")
            let labels = folder.appendingPathComponent("train-labels-idx1-ubyte")
            let good = [0, 0, 8, 3] + big(3) + big(2) + big(4) + (0..<24).map { UInt8($0 * 10) }
            var tally = Tally()
            for bytes in mutations(of: good, header: 16) {
                try write(bytes, to: images)
                attempt(images, &tally)
            }
            // Sizes whose product overflows, vanishes or is larger than any memory.
            for sizes: [UInt32] in [
                [.max, .max, .max], [1 << 31, 1 << 31, 4], [1, .max, 1], [.max, 1, 1], [0, 2, 4], [3, 0, 4],
                [1 << 16, 1 << 16, 1],
            ] {
                try write([0, 0, 8, 3] + sizes.flatMap(big) + [1, 2, 3], to: images)
                attempt(images, &tally)
            }
            try write(good, to: images)
            for bytes in mutations(of: [0, 0, 8, 1] + big(3) + [0, 1, 255], header: 11) {
                try write(bytes, to: labels)
                attempt(folder, &tally)
            }
            #expect(tally.read > 100 && tally.refused > 300)
        }
    }

    @Test func compressedFiles() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("images-idx3-ubyte.gz")
            let source = Fixtures.url("imagery/idx/train-images-idx3-ubyte.gz")
            var tally = Tally()
            for bytes in mutations(of: [UInt8](try Data(contentsOf: source)), header: 30) {
                try write(bytes, to: url)
                attempt(url, &tally)
            }
            #expect(tally.refused > 100)
        }
    }

    @Test func cifarBatches() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("data_batch_1.bin")
            let good = (0..<2).flatMap { [UInt8($0)] + (0..<3072).map { UInt8($0 % 256) } }
            var tally = Tally()
            for bytes in mutations(of: good, header: 3).prefix(400) + [[], [3], Array(repeating: 9, count: 3073)] {
                try write(bytes, to: url)
                attempt(url, &tally)
                attempt(folder, &tally)
            }
            #expect(tally.read > 100 && tally.refused > 20)
        }
    }

    /// Pictures as thin as they come, brought to a size.
    @Test func extremeShapes() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("x.png")
            var tally = Tally()
            for (width, height) in [(1, 1), (1, 32_768), (32_768, 1), (3, 20_000), (20_000, 3), (2, 2)] {
                for channels in [1, 3, 4] {
                    let pixels = (0..<(width * height * channels)).map { UInt8(truncatingIfNeeded: $0) }
                    try PNG.write(Image(width: width, height: height, channels: channels, pixels: pixels), to: url)
                    attempt(url, &tally)
                }
            }
            #expect(tally.refused == 0)
        }
    }
}

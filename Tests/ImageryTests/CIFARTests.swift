import TestSupport
import Foundation
import Testing

@testable import Imagery

struct CIFARTests {
    /// Record i of a batch: label, then planes filled with (first, i, 200).
    private func batch(_ labels: [UInt8], first: UInt8) -> Data {
        var data = Data()
        for (i, label) in labels.enumerated() {
            data.append(label)
            for value in [first, UInt8(i), 200] { data.append(Data(repeating: value, count: 1024)) }
        }
        return data
    }

    @Test func batchesAreReadInOrderOfTheirNumbers() throws {
        try withTemporaryFolder { folder in
            try batch([1, 2], first: 20).write(to: folder.appendingPathComponent("data_batch_2.bin"))
            try batch([9, 0], first: 100).write(to: folder.appendingPathComponent("data_batch_10.bin"))
            try batch([5], first: 7).write(to: folder.appendingPathComponent("test_batch.bin"))
            try Data("x".utf8).write(to: folder.appendingPathComponent("readme.html"))
            let train = try DatasetReader.open(.init(path: folder.path))
            #expect(train.count == 4 && train.channels == 3 && train.labelCount == 10)
            #expect((0..<4).map { train.label($0) } == [1, 2, 9, 0])
            #expect(
                (0..<4).map { Array(train.image($0).pixels[..<3]) }
                    == [[20, 0, 200], [20, 1, 200], [100, 0, 200], [100, 1, 200]])
            #expect(train.labelNames?[9] == "truck")
            let limited = try DatasetReader.open(.init(path: folder.path, channels: 1, limit: 3))
            #expect(limited.count == 3 && limited.channels == 1)
            let test = try DatasetReader.open(.init(path: folder.path, split: .test))
            #expect(test.count == 1 && test.label(0) == 5)
        }
    }

    @Test func planesBecomePixels() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("test_batch.bin")
            let planes = noise(3072)
            // Label 0 and then 0, 8: as an IDX file would begin.
            let record = [0, 0, 8] + planes[2...]
            try Data(record).write(to: url)
            let image = try DatasetReader.open(.init(path: url.path)).image(0)
            for (x, y, c) in [(0, 0, 0), (31, 0, 1), (0, 31, 2), (5, 9, 2), (31, 31, 0)] {
                #expect(image.pixels[(y * 32 + x) * 3 + c] == record[1 + c * 1024 + y * 32 + x])
            }
        }
    }

    @Test func brokenBatchesAreNamed() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("data_batch_1.bin")
            for (data, reason) in [
                (batch([1, 10], first: 0), "record 1 has label 10"), (batch([1], first: 0).dropLast(), "3072 bytes"),
                (Data(), "0 bytes"),
            ] {
                try data.write(to: url)
                let text = message { _ = try DatasetReader.open(.init(path: folder.path)) }
                #expect(text.contains(reason) && text.contains(url.path), "\(text)")
            }
            #expect(
                message { _ = try DatasetReader.open(.init(path: folder.path, split: .test)) }.contains("no test split")
            )
        }
    }
}

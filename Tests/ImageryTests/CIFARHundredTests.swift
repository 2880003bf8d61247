import Foundation
import TestSupport
import Testing

@testable import Imagery

/// CIFAR-100's binary version: two labels a record, one file a split.
struct CIFARHundredTests {
    /// Record i: a coarse label, a fine one, then planes filled with (i, 100, 200).
    private func batch(_ labels: [UInt8]) -> Data {
        var data = Data()
        for (i, label) in labels.enumerated() {
            data.append(contentsOf: [label % 20, label])
            for value in [UInt8(i), 100, 200] { data.append(Data(repeating: value, count: 1024)) }
        }
        return data
    }

    @Test func theFineLabelIsTheClass() throws {
        try withTemporaryFolder { folder in
            try batch([99, 3]).write(to: folder.appendingPathComponent("train.bin"))
            try batch([41]).write(to: folder.appendingPathComponent("test.bin"))
            let train = try DatasetReader.open(.init(path: folder.path))
            #expect(train.count == 2 && train.channels == 3 && train.labelCount == 100 && train.labelNames == nil)
            #expect((0..<2).map { train.label($0) } == [99, 3])
            #expect(Array(train.image(1).pixels[..<3]) == [1, 100, 200])
            #expect(try DatasetReader.open(.init(path: folder.path, split: .test)).label(0) == 41)
            // One file by itself is known by its name.
            let file = folder.appendingPathComponent("test.bin")
            #expect(try DatasetReader.open(.init(path: file.path)).labelCount == 100)

            let names = (0..<100).map { "class \($0)" }.joined(separator: "\n") + "\n"
            let list = folder.appendingPathComponent("fine_label_names.txt")
            try Data(names.utf8).write(to: list)
            #expect(try DatasetReader.open(.init(path: folder.path)).labelNames?[41] == "class 41")
            try Data("one\ntwo\n".utf8).write(to: list)
            #expect(message { _ = try DatasetReader.open(.init(path: folder.path)) }.contains("it holds 2 names"))
        }
    }

    @Test func brokenFilesAreNamed() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("train.bin")
            for (data, reason) in [
                (batch([100]), "record 0 has label 100; CIFAR-100 has labels 0 to 99"),
                (batch([1]).dropLast(), "3073 bytes; CIFAR-100 records are 3074 bytes each"),
            ] {
                try data.write(to: url)
                let text = message { _ = try DatasetReader.open(.init(path: folder.path)) }
                #expect(text.contains(reason) && text.contains(url.path), "\(text)")
            }
            try batch([1]).write(to: url)
            #expect(
                message { _ = try DatasetReader.open(.init(path: folder.path, split: .test)) }.contains("no test split")
            )
            try Data(repeating: 0, count: 3073).write(to: folder.appendingPathComponent("data_batch_1.bin"))
            #expect(
                message { _ = try DatasetReader.open(.init(path: folder.path)) }
                    .contains("CIFAR-10 and CIFAR-100 batches"))
        }
    }
}

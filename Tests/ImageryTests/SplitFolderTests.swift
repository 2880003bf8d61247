import TestSupport
import Foundation
import Testing

@testable import Imagery

/// Folders as people have them: nested, in splits, with what systems leave behind.
struct SplitFolderTests {
    private func save(_ value: UInt8, _ folder: URL, _ name: String) throws {
        let url = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try PNG.write(
            Image(width: 2, height: 2, channels: 1, filledWith: RGBColor(value, value, value)), to: url)
    }

    private func values(_ folder: URL, _ split: DatasetSpecification.Split = .train) throws -> [UInt8] {
        let dataset = try DatasetReader.open(.init(path: folder.path, split: split))
        return (0..<dataset.count).map { dataset.image($0).pixels[0] }
    }

    @Test(arguments: [
        ("train", "val", "test"), ("training", "valid", "testing"), ("Train", "Validation", "Test"),
        ("train", "dev", "eval"),
    ])
    func splitsAreNeverPooled(train: String, validation: String, test: String) throws {
        try withTemporaryFolder { parent in
            for (number, name) in [train, validation, test].enumerated() {
                for picture in 0..<2 { try save(UInt8(10 * number + picture), parent, "\(name)/\(picture).png") }
            }
            // Nothing of another split is looked at.
            try Data("no picture".utf8).write(to: parent.appendingPathComponent("\(test)/broken.png"))
            #expect(try values(parent) == [0, 1])
            #expect(try values(parent, .validation) == [10, 11])
            #expect(message { _ = try values(parent, .test) }.contains("broken.png"))
            try FileManager.default.removeItem(at: parent.appendingPathComponent("\(test)/broken.png"))
            // What lies beside belongs to no split.
            try save(99, parent, "annotations/0.png")
            #expect(try values(parent) == [0, 1])
            #expect(try values(parent, .test) == [20, 21])
        }
    }

    @Test func whatMayBeASplitOrAClassIsRefused() throws {
        try withTemporaryFolder { parent in
            for name in ["car", "train"] { try save(1, parent, "\(name)/0.png") }
            let text = message { _ = try values(parent) }
            #expect(text.contains("train/ has the name of a split") && text.contains("car/"), "\(text)")
            #expect(try values(parent.appendingPathComponent("train")) == [1])
        }
        try withTemporaryFolder { parent in
            for name in ["train", "val", "valid"] { try save(1, parent, "\(name)/0.png") }
            #expect(message { _ = try values(parent) }.contains("both val/ and valid/ are its validation split"))
        }
        try withTemporaryFolder { parent in
            for name in ["train", "test"] { try save(1, parent, "\(name)/0.png") }
            try save(1, parent, "0.png")
            #expect(message { _ = try values(parent) }.contains("both splits (t"))
        }
    }

    @Test func classesHaveTheNumbersOfTheTrainSplit() throws {
        try withTemporaryFolder { parent in
            for (number, name) in ["train/a", "train/b", "train/c", "val/c", "val/new"].enumerated() {
                try save(UInt8(number), parent, "\(name)/0.png")
            }
            let train = try DatasetReader.open(.init(path: parent.path))
            #expect(train.labelNames == ["a", "b", "c"])
            let validation = try DatasetReader.open(.init(path: parent.path, split: .validation))
            #expect(validation.labelNames == ["a", "b", "c", "new"])
            #expect((0..<2).map { validation.label($0) } == [2, 3])
            #expect((0..<2).map { validation.image($0).pixels[0] } == [3, 4])
        }
    }

    @Test func foldersMayBeNestedAtAnyDepth() throws {
        try withTemporaryFolder { parent in
            for (number, path) in [
                "cats/0.png", "cats/2019/may/1.png", "dogs/a/b/c/d/e/2.png", "dogs/a/3.png",
            ].enumerated() { try save(UInt8(number), parent, path) }
            let dataset = try DatasetReader.open(.init(path: parent.path))
            #expect(dataset.labelNames == ["cats", "dogs"])
            #expect((0..<4).map { dataset.image($0).pixels[0] } == [0, 3, 1, 2])
            #expect((0..<4).map { dataset.label($0) } == [0, 1, 0, 1])
        }
    }

    @Test func whatSystemsLeaveBehindIsPassedOverAtEveryDepth() throws {
        let left = [
            "Thumbs.db", "desktop.ini", "Desktop.ini", ".DS_Store", "._0.png", "__MACOSX/._0.png", "__MACOSX/a/._0.png",
            ".ipynb_checkpoints/0-checkpoint.png", "@eaDir/0.png/SYNOPHOTO_THUMB_M.jpg",
        ]
        for places in [["0.png"], ["a/0.png", "b/0.png"], ["train/a/x/0.png", "train/b/0.png", "test/a/0.png"]] {
            try withTemporaryFolder { parent in
                for place in places {
                    try save(5, parent, place)
                    var folder = parent.appendingPathComponent(place)
                    while folder.path != parent.path {
                        folder.deleteLastPathComponent()
                        for name in left {
                            let url = folder.appendingPathComponent(name)
                            try FileManager.default.createDirectory(
                                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                            try Data("left behind".utf8).write(to: url)
                        }
                    }
                }
                let dataset = try DatasetReader.open(.init(path: parent.path))
                #expect(dataset.count == min(places.count, 2), "\(places)")
                #expect(dataset.labelNames == (places.count == 1 ? nil : ["a", "b"]))
            }
        }
    }
}

import TestSupport
import Foundation
import Testing

@testable import Imagery

/// Classes by `metadata.csv` and `metadata.jsonl`, as Hugging Face's `imagefolder` has them.
struct PictureMetadataTests {
    private func save(_ value: UInt8, _ folder: URL, _ path: String) throws {
        let url = folder.appendingPathComponent(path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try PNG.write(Image(width: 2, height: 2, channels: 1, filledWith: RGBColor(value, value, value)), to: url)
    }

    private func write(_ text: String, _ folder: URL, _ path: String) throws {
        try Data(text.utf8).write(to: folder.appendingPathComponent(path))
    }

    private func open(
        _ folder: URL, _ split: DatasetSpecification.Split = .train, column: String? = nil
    ) throws -> InMemoryDataset {
        try DatasetReader.open(.init(path: folder.path, split: split, labelColumn: column))
    }

    /// Value and class of each picture.
    private func pairs(_ dataset: InMemoryDataset) -> [[Int]] {
        (0..<dataset.count).map { [Int(dataset.image($0).pixels[0]), dataset.label($0) ?? -1] }
    }

    private static let tables = [
        ("metadata.csv", "file_name,label,text\n0.png,1,\"a, b\"\n1.png,0,\"c\"\"d\"\nsub/2.png,1,\n"),
        ("metadata.csv", "\u{feff}label,file_name\r\n1,0.png\r\n0,./1.png\r\n1,sub/2.png"),
        (
            "metadata.jsonl",
            """
            {"file_name": "0.png", "label": 1, "text": "a"}
            {"file_name": "1.png", "label": 0}

            {"file_name": "sub/2.png", "label": 1}
            """
        ),
    ]

    @Test(arguments: tables)
    func wholeNumbersAreClasses(name: String, text: String) throws {
        try withTemporaryFolder { folder in
            for (number, path) in ["0.png", "1.png", "sub/2.png"].enumerated() { try save(UInt8(number), folder, path) }
            try write(text, folder, name)
            let dataset = try open(folder)
            #expect(pairs(dataset) == [[1, 0], [0, 1], [2, 1]])
            #expect(dataset.labelCount == 2 && dataset.labelNames == nil)
        }
    }

    @Test func otherTextsAreNamesInTheirOrder() throws {
        try withTemporaryFolder { folder in
            for path in ["train/0.png", "train/1.png", "test/2.png", "test/3.png"] {
                try save(UInt8(path.suffix(5).prefix(1))!, folder, path)
            }
            try write("file_name,kind\n0.png,dog\n1.png,cat\n", folder, "train/metadata.csv")
            try write("file_name,kind\n2.png,dog\n3.png,ant\n", folder, "test/metadata.csv")
            let train = try open(folder, column: "kind")
            #expect(train.labelNames == ["cat", "dog"] && pairs(train) == [[1, 0], [0, 1]])
            let test = try open(folder, .test, column: "kind")
            #expect(test.labelNames == ["cat", "dog", "ant"] && pairs(test) == [[2, 1], [3, 2]])
            // Not asked for, a table without a column 'label' is a text among others.
            #expect(try open(folder).labelCount == nil)
        }
    }

    @Test func aTableAboveTheSplitsIsAboutAll() throws {
        try withTemporaryFolder { folder in
            for path in ["train/0.png", "train/1.png", "test/2.png"] {
                try save(UInt8(path.suffix(5).prefix(1))!, folder, path)
            }
            try write(
                "file_name,label\ntrain/0.png,x\ntest/2.png,a\ntrain/1.png,y\n", folder, "metadata.csv")
            #expect(try open(folder).labelNames == ["x", "y"])
            let test = try open(folder, .test)
            #expect(test.labelNames == ["x", "y", "a"] && pairs(test) == [[2, 2]])
        }
    }

    @Test func innerTablesComeBeforeOuterOnes() throws {
        try withTemporaryFolder { folder in
            for path in ["0.png", "sub/1.png"] { try save(UInt8(path.suffix(5).prefix(1))!, folder, path) }
            try write("file_name,label\n0.png,0\nsub/1.png,0\n", folder, "metadata.csv")
            try write("file_name,label\n1.png,1\n", folder, "sub/metadata.csv")
            #expect(pairs(try open(folder)) == [[0, 0], [1, 1]])
        }
    }

    @Test(arguments: [
        ("file_name,label\n0.png,1\n", "there is no line for"),
        ("file_name,label\n0.png,1\n1.png,0\n2.png,0\n", "line 4: there is no picture '2.png'"),
        ("file_name,label\n0.png,1\n1.png,0\n0.png,0\n", "line 4: '0.png' has a line already"),
        ("file_name,label\n0.png,1\n1.png\n", "line 3: it has 1 values, but there are 2 columns"),
        ("file_name,label\n0.png,\n1.png,0\n", "line 2: 'label' is empty"),
        ("file_name,label\n\"0.png,1\n1.png,0\n", "line 2: a quote is opened here"),
        ("file_name,label\n\"0.png\"x,1\n1.png,0\n", "line 2: something follows a closing quote"),
        ("file_name,label\n0.png,-1\n1.png,0\n", "has class -1"),
        ("file_name,label\n0.png,1000000\n1.png,0\n", "has class 1000000"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n", "Git LFS pointer"),
    ])
    func tablesThatDoNotFitAreRefused(text: String, reason: String) throws {
        try withTemporaryFolder { folder in
            for number in 0..<2 { try save(UInt8(number), folder, "\(number).png") }
            try write(text, folder, "metadata.csv")
            let got = message { _ = try open(folder) }
            #expect(got.contains(reason), "\(got)")
        }
    }

    @Test(arguments: [
        (#"{"file_name": "0.png", "label": 1.5}"#, "line 1: 'label' is 1.5, expected text or a whole number"),
        (#"{"file_name": 7, "label": 1}"#, "line 1: 'file_name' is an integer"),
        (#"["0.png"]"#, "line 1: expected an object"), (#"{"file_name": "#, "line 1"),
        ("{\"file_name\": \"0.png\", \"label\": 1}\n{\"file_name\": \"1.png\"}", "line 2: there is no column 'label'"),
    ])
    func linesThatAreNoneAreRefused(text: String, reason: String) throws {
        try withTemporaryFolder { folder in
            for number in 0..<2 { try save(UInt8(number), folder, "\(number).png") }
            try write(text, folder, "metadata.jsonl")
            let got = message { _ = try open(folder) }
            #expect(got.contains("metadata.jsonl") && got.contains(reason), "\(got)")
        }
    }

    @Test func aColumnThatIsNotThereIsRefused() throws {
        try withTemporaryFolder { folder in
            for number in 0..<2 { try save(UInt8(number), folder, "\(number).png") }
            #expect(message { _ = try open(folder, column: "kind") }.contains("no metadata.jsonl or metadata.csv"))
            try write("file_name,kinds\n0.png,a\n1.png,b\n", folder, "metadata.csv")
            let text = message { _ = try open(folder, column: "kind") }
            #expect(text.contains("did you mean 'kinds'?") && text.contains("file_name, kinds"), "\(text)")
            let idx = Repository.url("Samples/fashion-mnist")
            #expect(message { _ = try open(idx, column: "kind") }.contains("no folder of pictures"))
        }
        try withTemporaryFolder { folder in
            try save(0, folder, "0.png")
            try write("file_name,label\n0.png,0\n", folder, "metadata.csv")
            try write(#"{"file_name": "0.png", "label": 1}"#, folder, "metadata.jsonl")
            #expect(message { _ = try open(folder) }.contains("both metadata.csv and metadata.jsonl name its classes"))
        }
    }
}

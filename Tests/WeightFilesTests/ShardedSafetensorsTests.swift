import Files
import Foundation
import TestSupport
import Testing
import WeightFiles

@Suite struct ShardedSafetensorsTests {
    private static let first = "model-00001-of-00002.safetensors"
    private static let second = "model-00002-of-00002.safetensors"
    private static let index = "model.safetensors.index.json"

    /// Opens an index with `map` in a copy of the sharded fixture, after `change` to the folder.
    private func open(_ map: JSONValue, _ change: (URL) throws -> Void = { _ in }) throws -> any WeightSource {
        try withTemporaryFolder { outer in
            let folder = outer.appendingPathComponent("model")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
            for name in [Self.first, Self.second] {
                try FileManager.default.copyItem(
                    at: Fixtures.url("storage/\(name)"), to: folder.appendingPathComponent(name))
            }
            try JSONFile.write(["weight_map": map], to: folder.appendingPathComponent(Self.index))
            try change(folder)
            return try Weights.open(folder.appendingPathComponent(Self.index))
        }
    }

    private func reason(_ map: JSONValue, _ change: (URL) throws -> Void = { _ in }) -> String {
        error(SafetensorsError.self) { _ = try open(map, change) }.map(String.init(describing:)) ?? "no error"
    }

    @Test func theFixtureReadsByEitherName() throws {
        for name in ["model.safetensors.index.json", "model.safetensors"] {
            let source = try Weights.open(Fixtures.url("storage/\(name)"))
            #expect(source.names == ["a", "b", "c"])
            #expect(source.contains("c") && !source.contains("d"))
            #expect(try source.floats("a") == [1, 2])
            #expect(try source.floats("b") == [3])
            #expect(try source.floats("c") == [4, 5, 6])
            #expect(try source.shape(of: "c") == [3])
            #expect(try source.elementType(of: "c") == .f32)
            #expect(throws: SafetensorsError.self) { try source.floats("d") }
        }
        #expect(try Weights.open(Fixtures.url("storage/golden.safetensors")).contains("labels"))
        #expect(throws: StorageError.self) { try Weights.open(Fixtures.url("storage/absent.safetensors")) }
    }

    @Test func mapAndShardsMustAgree() throws {
        _ = try open(["a": .string(Self.first), "b": .string(Self.first), "c": .string(Self.second)])
        #expect(
            reason(["a": .string(Self.first), "b": .string(Self.second), "c": .string(Self.second)]).contains(
                "'b' should be in"))
        #expect(reason(["a": .string(Self.first), "c": .string(Self.second)]).contains("holds tensor 'b'"))
        #expect(reason(["a": 1]).contains("expected the name of a file, got an integer"))
        #expect(reason([1]).contains("no object under 'weight_map'"))
        #expect(reason(["a": "model-3.safetensors"]).contains("missing"))
    }

    @Test(arguments: ["", ".", "..", "../x.safetensors", "/etc/passwd", "sub/x.safetensors", "..\\x", "x\0y"])
    func namesThatLeaveTheFolderAreRefused(_ name: String) {
        #expect(reason(["a": .string(name)]).contains("is not the name of a file beside the index"))
    }

    @Test func linksThatLeaveTheFolderAreRefused() throws {
        let map: JSONValue = ["a": .string(Self.first), "b": .string(Self.first), "c": .string(Self.second)]
        func move(_ folder: URL, to name: String) throws {
            let destination = folder.appendingPathComponent(name)
            let shard = folder.appendingPathComponent(Self.first)
            try FileManager.default.moveItem(at: shard, to: destination)
            try FileManager.default.createSymbolicLink(atPath: shard.path, withDestinationPath: name)
        }
        #expect(reason(map) { try move($0, to: "../elsewhere.safetensors") }.contains("leads out of the folder"))
        _ = try open(map) { try move($0, to: "blob.safetensors") }
    }

    @Test func theLinksOfTheHuggingFaceCacheAreFollowed() throws {
        let map: JSONValue = ["a": .string(Self.first), "b": .string(Self.first), "c": .string(Self.second)]
        let source = try open(map) { folder in
            let blobs = folder.deletingLastPathComponent().appendingPathComponent("blobs")
            try FileManager.default.createDirectory(at: blobs, withIntermediateDirectories: false)
            for (number, name) in [Self.first, Self.second, Self.index].enumerated() {
                let file = folder.appendingPathComponent(name)
                try FileManager.default.moveItem(at: file, to: blobs.appendingPathComponent("\(number)"))
                try FileManager.default.createSymbolicLink(atPath: file.path, withDestinationPath: "../blobs/\(number)")
            }
        }
        #expect(try source.floats("c") == [4, 5, 6])
    }
}

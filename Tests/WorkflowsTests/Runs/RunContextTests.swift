import Files
import Foundation
import Runs
import TestSupport
import Testing

@testable import Workflows

/// What becomes of an output folder that holds something already.
@Suite struct RunContextTests {
    private func write(_ text: String, to folder: URL) throws {
        try AtomicFile.write(Data(text.utf8), to: folder.appendingPathComponent("result"))
    }

    @Test func anOccupiedFolderIsWrittenToOnlyWhereItIsSaid() throws {
        try withTemporaryFolder { folder in
            try write("old", to: folder)
            let refused = error(StorageError.self) {
                try RunContext(output: folder).writing { try write("new", to: folder) }
            }
            #expect(refused == .folderNotEmpty(path: folder.path))
            #expect(try TextFile.read(folder.appendingPathComponent("result"), limit: 10) == "old")
            try RunContext(output: folder, occupied: .overwritten).writing { try write("new", to: folder) }
            #expect(try TextFile.read(folder.appendingPathComponent("result"), limit: 10) == "new")
        }
    }

    @Test func whatFailsLeavesNoFolder() throws {
        struct Stop: Error {}
        try withTemporaryFolder { folder in
            let output = folder.appendingPathComponent("a/b")
            #expect(throws: Stop.self) { try RunContext(output: output).writing { throw Stop() } }
            #expect(!FileManager.default.fileExists(atPath: folder.appendingPathComponent("a").path))
        }
    }

    /// What a workflow has no use for is refused, not ignored.
    @Test func workDoneAtOnceIsNotResumedAndARunIsNotOverwritten() throws {
        try withTemporaryFolder { folder in
            #expect(throws: RequestError.self) { try RunContext(output: folder, occupied: .resumed).writing {} }
            let identity = RunIdentity(command: "train", configuration: [:], inputs: [:])
            #expect(throws: RequestError.self) {
                _ = try RunContext(output: folder, occupied: .overwritten).open(
                    identity, growth: .allowed(key: "training.steps"))
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(left.isEmpty)
        }
    }
}

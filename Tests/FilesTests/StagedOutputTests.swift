import Files
import Foundation
import TestSupport
import Testing

@Suite struct StagedOutputTests {
    private struct Stop: Error {}

    private func fill(_ folder: URL, _ word: String) throws {
        let images = folder.appendingPathComponent("images")
        try FileManager.default.createDirectory(at: images, withIntermediateDirectories: false)
        try Data(word.utf8).write(to: images.appendingPathComponent("0"))
        try Data(word.utf8).write(to: folder.appendingPathComponent("table"))
    }

    @Test func allAppearsAtOnceAndTakesThePlaceOfFormerResults() throws {
        try withTemporaryFolder { folder in
            try Data("mine".utf8).write(to: folder.appendingPathComponent("other"))
            for word in ["first", "second"] {
                try StagedOutput.write(into: folder) { staging in
                    try fill(staging, word)
                    let table = folder.appendingPathComponent("table")
                    #expect((try? text(table)) != word)
                }
                #expect(try contents(folder) == ["images", "other", "table"])
                #expect(try text(folder.appendingPathComponent("images/0")) == word)
                #expect(try text(folder.appendingPathComponent("table")) == word)
            }
        }
    }

    @Test func aFailureLeavesWhatWasThere() throws {
        try withTemporaryFolder { folder in
            try Data("mine".utf8).write(to: folder.appendingPathComponent("table"))
            #expect(throws: Stop.self) {
                try StagedOutput.write(into: folder) { staging in
                    try fill(staging, "new")
                    throw Stop()
                }
            }
            #expect(try contents(folder) == ["table"])
            #expect(try text(folder.appendingPathComponent("table")) == "mine")
        }
    }

    /// What a killed process left is taken over, and errors name the place where the file was to be.
    @Test func remainsAndNames() throws {
        try withTemporaryFolder { folder in
            let tooLong = String(repeating: "x", count: 300)
            let remains = folder.appendingPathComponent(".results.partial")
            try FileManager.default.createDirectory(at: remains, withIntermediateDirectories: false)
            try Data().write(to: remains.appendingPathComponent("old"))
            let failure = error(StorageError.self) {
                try StagedOutput.write(into: folder) { staging in
                    #expect(try contents(staging) == [])
                    try AtomicFile.write(Data(), to: staging.appendingPathComponent(tooLong))
                }
            }
            #expect(failure?.path == folder.path + "/" + tooLong)
            #expect(try contents(folder) == [])
        }
    }
}

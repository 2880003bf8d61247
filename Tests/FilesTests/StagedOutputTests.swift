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

    /// Every state that a kill can leave between the moment when all is built and the end: after so many renames, and
    /// with or without the list of what belongs together.
    @Test(arguments: 0...5, [false, true]) func aKillWhileResultsAreMoved(moved: Int, isFinished: Bool) throws {
        try withTemporaryFolder { folder in
            let names = ["images", "other", "table"]
            let moving = folder.appendingPathComponent(".results.moving")
            try FileManager.default.createDirectory(at: moving, withIntermediateDirectories: false)
            try fill(moving, "whole")
            try Data("whole".utf8).write(to: moving.appendingPathComponent("other"))
            var list: [String: JSONValue] = [:]
            for name in names {
                list[name] = .string(try #require(StagedOutput.mark(of: moving.appendingPathComponent(name))))
            }
            if moved <= 4 { try JSONFile.write(.object(list), to: moving.appendingPathComponent(".list")) }
            for name in names.prefix(moved) {
                let place = folder.appendingPathComponent(name)
                try FileManager.default.moveItem(at: moving.appendingPathComponent(name), to: place)
            }
            // What has a result's name and is not one belongs to somebody.
            let isMixed = moved == 2 && !isFinished
            if isMixed {
                try FileManager.default.removeItem(at: folder.appendingPathComponent("other"))
                try Data("mine".utf8).write(to: folder.appendingPathComponent("mine"))
                try FileManager.default.moveItem(
                    at: folder.appendingPathComponent("mine"), to: folder.appendingPathComponent("other"))
            }

            let got = error(StorageError.self) {
                try OutputFolder.claiming(folder, overwriting: isFinished) {
                    let expected = isFinished || moved >= 3 ? names : []
                    #expect(try contents(folder) == expected)
                    if isFinished { #expect(try text(folder.appendingPathComponent("table")) == "whole") }
                    try StagedOutput.write(into: folder) { try fill($0, "new") }
                    #expect(try text(folder.appendingPathComponent("images/0")) == "new")
                }
            }
            if isMixed {
                #expect(got == .folderNotEmpty(path: folder.path))
                #expect(try contents(folder) == ["other"] && text(folder.appendingPathComponent("other")) == "mine")
            } else {
                // Whole results of the killed command are results.
                #expect(got == (moved >= 3 && !isFinished ? .folderNotEmpty(path: folder.path) : nil))
                #expect(try contents(folder) == (moved >= 3 || isFinished ? names : ["images", "table"]))
            }
        }
    }

    /// The list may come with a folder from anywhere.
    @Test func aForgedListReachesNothingElse() throws {
        try withTemporaryFolder { parent in
            let folder = parent.appendingPathComponent("out")
            let moving = folder.appendingPathComponent(".results.moving")
            try FileManager.default.createDirectory(at: moving, withIntermediateDirectories: true)
            try Data().write(to: moving.appendingPathComponent("rest"))
            let precious = parent.appendingPathComponent("precious")
            try Data("mine".utf8).write(to: precious)
            let marks = [precious, parent].map { JSONValue.string(StagedOutput.mark(of: $0) ?? "") }
            let list: JSONValue = ["../precious": marks[0], "..": marks[1], "x": 0, "y": "z"]
            try JSONFile.write(list, to: moving.appendingPathComponent(".list"))
            try OutputFolder.claiming(folder, overwriting: false) {}
            #expect(try contents(folder) == [] && text(precious) == "mine")
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
            #expect(failure?.reason.contains(".results") == false)
            #expect(try contents(folder) == [])
        }
    }
}

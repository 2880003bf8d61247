import Files
import Foundation
import TestSupport
import Testing

@Suite struct GrowingFileTests {
    @Test func aFileIsCutBackToWhatItWas() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("log")
            #expect(try GrowingFile.settledSize(of: url) == 0)
            try GrowingFile.cut(url, to: 0)
            #expect(try contents(folder) == [])
            try GrowingFile.append("one\n".utf8, to: url)
            let size = try GrowingFile.settledSize(of: url)
            try GrowingFile.append("two\n".utf8, to: url)
            #expect(try text(url) == "one\ntwo\n")
            try GrowingFile.cut(url, to: size)
            #expect(try text(url) == "one\n")
            try GrowingFile.cut(url, to: size)
            #expect(try text(url) == "one\n")
        }
    }

    @Test func otherNamesOfTheFileKeepWhatTheyHave() throws {
        try withTemporaryFolder { folder in
            let (url, other) = (folder.appendingPathComponent("log"), folder.appendingPathComponent("copy"))
            for change in [
                { try GrowingFile.append("two\n".utf8, to: url) }, { try GrowingFile.cut(url, to: 2) },
            ] {
                try? FileManager.default.removeItem(at: url)
                try? FileManager.default.removeItem(at: other)
                try Data("one\n".utf8).write(to: other)
                try FileManager.default.linkItem(at: other, to: url)
                try change()
                #expect(try text(other) == "one\n")
                #expect(try ["one\ntwo\n", "on"].contains(text(url)))
            }
        }
    }

    @Test func aFileThatLostSomethingIsLeftAlone() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("log")
            try Data("four".utf8).write(to: url)
            #expect(throws: StorageError.self) { try GrowingFile.cut(url, to: 5) }
            #expect(try text(url) == "four")
            #expect(throws: StorageError.missing(path: folder.path + "/none")) {
                try GrowingFile.cut(folder.appendingPathComponent("none"), to: 1)
            }
            #expect(throws: StorageError.self) { try GrowingFile.append("x".utf8, to: folder) }
        }
    }
}

@Suite struct FolderLockTests {
    @Test func oneAtATime() throws {
        try withTemporaryFolder { folder in
            var lock: FolderLock? = try FolderLock(folder)
            #expect(lock != nil)
            #expect(throws: StorageError.inUse(path: folder.path)) { try FolderLock(folder) }
            lock = nil
            _ = try FolderLock(folder)
            #expect(throws: StorageError.self) { try FolderLock(folder.appendingPathComponent("none")) }
        }
    }
}

@Suite struct TextFileTests {
    @Test func textIsBounded() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("text")
            try Data("añb".utf8).write(to: url)
            #expect(try TextFile.read(url, limit: 4) == "añb")
            #expect(throws: StorageError.self) { try TextFile.read(url, limit: 3) }
            try Data([0x61, 0xff]).write(to: url)
            #expect(throws: StorageError.self) { try TextFile.read(url, limit: 10) }
            #expect(throws: StorageError.self) { try TextFile.read(folder, limit: 10) }
            // A pipe that nobody writes to would be waited for without end.
            let pipe = folder.appendingPathComponent("pipe")
            #expect(mkfifo(pipe.path, 0o600) == 0)
            #expect(throws: StorageError.notARegularFile(path: pipe.path)) { try TextFile.read(pipe, limit: 10) }
        }
    }
}

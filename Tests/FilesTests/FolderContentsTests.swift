import Files
import Foundation
import TestSupport
import Testing

@Suite struct FolderContentsTests {
    @Test func namesAreSortedByTheirBytes() throws {
        try withTemporaryFolder { folder in
            for name in ["b", "a", ".hidden", "É", "Z"] { try Data().write(to: folder.appendingPathComponent(name)) }
            #expect(try FolderContents.names(folder) == [".hidden", "Z", "a", "b", "É"])
            let file = folder.appendingPathComponent("a")
            #expect(throws: StorageError.notAFolder(path: file.path)) { try FolderContents.names(file) }
            let none = folder.appendingPathComponent("none")
            #expect(throws: StorageError.missing(path: none.path)) { try FolderContents.names(none) }
            #expect(try FileKind(reading: none) == .nothing)
            #expect(try FileKind(reading: file.appendingPathComponent("below")) == .nothing)
        }
    }

    @Test(.enabled(if: geteuid() != 0, "permissions do not bind the superuser"))
    func whatMayNotBeReadIsNotMissing() throws {
        try withTemporaryFolder { folder in
            let inner = folder.appendingPathComponent("inner")
            try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: false)
            try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: inner.path)
            defer { try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: inner.path) }
            let denied = StorageError.unreadable(path: inner.path, reason: "Permission denied")
            #expect(throws: denied) { try FolderContents.names(inner) }
            let below = inner.appendingPathComponent("below")
            #expect(error(StorageError.self) { _ = try FileKind(reading: below) }?.reason.contains("denied") == true)
        }
    }

    /// Foundation's own words say neither the file nor, often, the reason.
    @Test func causesAreTheSystems() throws {
        let none = URL(fileURLWithPath: "/nonexistent/file")
        do {
            _ = try FileHandle(forReadingFrom: none)
            Issue.record("there is no such file")
        } catch {
            #expect(StorageError.cause(of: error) == "No such file or directory")
        }
        #expect(StorageError.cause(of: StorageError.unwritable(path: "x", reason: "why")) == "why")
    }
}

import Foundation
import TestSupport
import Testing

@testable import Files

/// What Git LFS leaves in place of a file is no file to any reader.
struct LFSPointerTests {
    private static let pointer = """
        version https://git-lfs.github.com/spec/v1
        oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
        size 12345

        """

    private func open(_ text: String, _ read: (URL) throws -> Void) throws -> StorageError? {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("file")
            try Data(text.utf8).write(to: url)
            do {
                try read(url)
                return nil
            } catch let error as StorageError {
                return error
            }
        }
    }

    @Test func everyReaderNamesIt() throws {
        let readers: [(URL) throws -> Void] = [
            { _ = try RegularFile($0) }, { _ = try JSONFile.read($0) }, { _ = try TextFile.read($0, limit: 1 << 20) },
            { _ = try RegularFile.contents(of: $0, limit: 1 << 20) },
        ]
        for read in readers {
            let error = try open(Self.pointer, read)
            #expect(error?.reason == "this is a Git LFS pointer, not the file: run git lfs pull")
        }
        let old = Self.pointer.replacing("git-lfs.github.com", with: "hawser.github.com")
        #expect(try open(old) { _ = try RegularFile($0) } != nil)
    }

    @Test func whatOnlyBeginsLikeOneIsRead() throws {
        let long = Self.pointer + String(repeating: " ", count: 1024 - Self.pointer.utf8.count)
        #expect(try open(long) { _ = try RegularFile($0) } == nil)
        #expect(try open("version https://git", { _ = try RegularFile($0) }) == nil)
        #expect(try open("", { _ = try RegularFile($0) }) == nil)
    }
}

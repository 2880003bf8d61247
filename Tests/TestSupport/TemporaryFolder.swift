import Foundation

/// An empty folder that is deleted with this object.
package final class TemporaryFolder {
    package let url: URL

    /// - Parameter inMemory: where the system has such a place; thousands of files are waited for elsewhere.
    package init(inMemory: Bool = false) throws {
        let memory = URL(fileURLWithPath: "/dev/shm")
        let parent =
            inMemory && FileManager.default.isWritableFile(atPath: memory.path)
            ? memory : FileManager.default.temporaryDirectory
        url = parent.appendingPathComponent("diffprune-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}

/// Runs `body` with an empty folder that is gone afterwards.
package func withTemporaryFolder<Result>(
    inMemory: Bool = false, _ body: (URL) throws -> Result
) throws -> Result {
    let folder = try TemporaryFolder(inMemory: inMemory)
    return try withExtendedLifetime(folder) { try body(folder.url) }
}

/// The names in a folder, hidden ones too, sorted.
package func contents(_ folder: URL) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
}

package func text(_ url: URL) throws -> String { String(decoding: try Data(contentsOf: url), as: UTF8.self) }

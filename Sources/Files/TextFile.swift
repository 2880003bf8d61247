import Foundation

/// Text that people write.
public enum TextFile {
    /// The text of a regular file in UTF-8.
    /// - Parameters:
    ///   - url: the file.
    ///   - limit: the most bytes it may have.
    /// - Throws: `StorageError`, also for a file that is too long or not UTF-8.
    public static func read(_ url: URL, limit: Int) throws -> String {
        guard let text = String(validating: try RegularFile.contents(of: url, limit: limit), as: UTF8.self) else {
            throw StorageError.unreadable(path: url.path, reason: "it is not text in UTF-8")
        }
        return text
    }
}

import Foundation

/// This repository, found from this file.
package enum Repository {
    package static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// - Parameter path: below the repository's root, as in "Samples/fashion-mnist".
    package static func url(_ path: String) -> URL { folder.appendingPathComponent(path) }
}

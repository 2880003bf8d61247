/// What Git LFS leaves in place of a large file until it is fetched: a text of a few lines.
enum LFSPointer {
    /// Beginnings of the first line, the second from before Git LFS had its name.
    private static let beginnings = [
        "version https://git-lfs.github.com/spec/", "version https://hawser.github.com/spec/",
    ]
    .map { Array($0.utf8) }
    /// Pointers are shorter than this by their specification.
    static let maximumBytes = 1023
    /// Bytes that are enough to tell.
    static let prefixLength = beginnings.map(\.count).max() ?? 0

    /// Whether a file of `size` bytes that begins so is a pointer.
    static func matches(_ prefix: [UInt8], size: Int) -> Bool {
        size <= maximumBytes && beginnings.contains { prefix.starts(with: $0) }
    }
}

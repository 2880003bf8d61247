import Foundation

/// What went wrong with a file or folder.
public enum StorageError: Error, Equatable, CustomStringConvertible {
    case missing(path: String)
    case notARegularFile(path: String)
    case notAFolder(path: String)
    case folderNotEmpty(path: String)
    case unreadable(path: String, reason: String)
    case unwritable(path: String, reason: String)
    case noSpace(path: String)
    case inUse(path: String)
    case json(file: String, JSONError)

    public var description: String {
        switch self {
        case .missing(let path): "\(path): no such file or folder"
        case .notARegularFile(let path): "\(path): expected a file, got a folder or a device"
        case .notAFolder(let path): "\(path): expected a folder, got a file"
        case .folderNotEmpty(let path):
            "\(path): the folder already holds something; name a new or empty folder, or ask for overwriting"
        case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
        case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
        case .noSpace(let path): "\(path): cannot be written: no space is left on the device (or the quota is used up)"
        case .inUse(let path): "\(path): another process is writing it at this moment"
        case .json(let file, let error): "\(file): \(error)"
        }
    }

    /// The error for a failed writing call, from `errno`.
    static func writing(_ path: String, errno code: Int32 = errno) -> StorageError {
        if code == ENOSPC || code == EDQUOT { return .noSpace(path: path) }
        return .unwritable(path: path, reason: reason(code))
    }

    /// The error for a failed reading call, from `errno`.
    static func reading(_ path: String, errno code: Int32 = errno) -> StorageError {
        if code == ENOENT || code == ENOTDIR { return .missing(path: path) }
        return .unreadable(path: path, reason: reason(code))
    }

    private static func reason(_ code: Int32) -> String {
        String(cString: strerror(code))
    }
}

/// Text from a file made fit for an error message: in quotes, escaped, cut when long.
struct Quoted: CustomStringConvertible {
    let description: String

    init(_ text: String, limit: Int = 120) {
        let escaped = text.unicodeScalars.prefix(limit).map { $0.escaped(asASCII: false) }.joined()
        description = "'\(escaped)\(text.unicodeScalars.count > limit ? "…" : "")'"
    }
}

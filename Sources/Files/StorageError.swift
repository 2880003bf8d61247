import Foundation

/// An error that names a file, which may have been written under a name that is not the one it was to have.
package protocol FileNamingError: Error {
    /// The same of a file below the folder `new` where it is one of a file below `old`.
    func renaming(_ old: String, to new: String) -> Self
}

extension FileNamingError {
    package static func renamed(_ path: String, _ old: String, to new: String) -> String {
        path == old || path.hasPrefix(old + "/") ? new + path.dropFirst(old.count) : path
    }
}

/// What went wrong with a file or folder.
public enum StorageError: Error, Equatable, CustomStringConvertible {
    case missing(path: String)
    case notARegularFile(path: String)
    case notAFolder(path: String)
    /// A symbolic link where something is to be written.
    case link(path: String)
    case folderNotEmpty(path: String)
    case unreadable(path: String, reason: String)
    case unwritable(path: String, reason: String)
    case noSpace(path: String)
    case inUse(path: String)
    case json(file: String, JSONError)
    /// A text of Git LFS that stands for a file not fetched.
    case gitLFSPointer(path: String)

    public var description: String { "\(path): \(reason)" }

    /// The file or folder it is about.
    public var path: String {
        switch self {
        case .missing(let path), .notARegularFile(let path), .notAFolder(let path), .link(let path),
            .folderNotEmpty(let path),
            .unreadable(let path, _), .unwritable(let path, _), .noSpace(let path), .inUse(let path),
            .json(let path, _), .gitLFSPointer(let path):
            path
        }
    }

    /// What is wrong with it.
    public var reason: String {
        switch self {
        case .missing: "no such file or folder"
        case .notARegularFile: "expected a file, got a folder or a device"
        case .notAFolder: "expected a folder, got a file"
        case .link:
            "it is a symbolic link, and nothing is written where a link leads; name the place itself, or remove "
                + "the link"
        case .folderNotEmpty: "the folder already holds something; name a new or empty folder, or ask for overwriting"
        case .unreadable(_, let reason): "cannot be read: \(reason)"
        case .unwritable(_, let reason): "cannot be written: \(reason)"
        case .noSpace: "cannot be written: no space is left on the device (or the quota is used up)"
        case .inUse: "another process is writing it at this moment"
        case .json(_, let error): "\(error)"
        case .gitLFSPointer: "this is a Git LFS pointer, not the file: run git lfs pull"
        }
    }

    /// The error for a failed writing call, from `errno`.
    package static func writing(_ path: String, errno code: Int32 = errno) -> StorageError {
        if code == ENOSPC || code == EDQUOT { return .noSpace(path: path) }
        return .unwritable(path: path, reason: reason(code))
    }

    /// The error for a failed reading call, from `errno`.
    package static func reading(_ path: String, errno code: Int32 = errno) -> StorageError {
        if code == ENOENT || code == ENOTDIR { return .missing(path: path) }
        return .unreadable(path: path, reason: reason(code))
    }

    /// The error for a hidden name that is needed to make `target`, and cannot be cleared.
    static func inTheWay(_ url: URL, of target: URL, because cause: String = reason(errno)) -> StorageError {
        .unwritable(
            path: target.path,
            reason: "'\(url.lastPathComponent)', left by an earlier or another program, cannot be removed: \(cause)")
    }

    /// What the system says of a failure, without the path and in its own words.
    package static func cause(of error: any Error) -> String {
        if let error = error as? StorageError { return error.cause }
        let outer = error as NSError
        let inner = outer.userInfo[NSUnderlyingErrorKey] as? NSError
        for error in [inner, outer].compactMap(\.self) where error.domain == NSPOSIXErrorDomain {
            return reason(Int32(truncatingIfNeeded: error.code))
        }
        return error is CocoaError ? outer.localizedDescription : "\(error)"
    }

    /// `reason` without what could not be done.
    package var cause: String {
        switch self {
        case .unreadable(_, let reason), .unwritable(_, let reason): reason
        case .noSpace: "no space is left on the device (or the quota is used up)"
        default: reason
        }
    }

    /// A failed write below the folder `old` told of as one below `new`; any other error as it is.
    package func renaming(_ old: String, to new: String) -> Self {
        func renamed(_ path: String) -> String { Self.renamed(path, old, to: new) }
        return switch self {
        case .unwritable(let path, let reason): .unwritable(path: renamed(path), reason: reason)
        case .noSpace(let path): .noSpace(path: renamed(path))
        default: self
        }
    }

    private static func reason(_ code: Int32) -> String {
        String(cString: strerror(code))
    }
}

/// Text from a file made fit for an error message: in quotes, escaped, cut when long.
package struct Quoted: CustomStringConvertible {
    package let description: String

    package init(_ text: String, limit: Int = 120) {
        let escaped = text.unicodeScalars.prefix(limit).map {
            $0.isControlling && !"\n\r\t".unicodeScalars.contains($0) ? $0.codePoint : $0.escaped(asASCII: false)
        }.joined()
        description = "'\(escaped)\(text.unicodeScalars.count > limit ? "…" : "")'"
    }
}

extension StorageError: FileNamingError {}

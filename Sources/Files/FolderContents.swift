import Foundation

/// What a folder holds.
package enum FolderContents {
    /// The names in the folder at `url`, hidden ones too, in the order of their bytes.
    /// - Throws: `StorageError` with the system's own reason.
    package static func names(_ url: URL) throws -> [String] {
        guard let folder = opendir(url.path) else {
            throw errno == ENOTDIR ? StorageError.notAFolder(path: url.path) : StorageError.reading(url.path)
        }
        defer { closedir(folder) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(folder) else {
                guard errno == 0 else { throw StorageError.reading(url.path) }
                break
            }
            let capacity = MemoryLayout.size(ofValue: entry.pointee.d_name)
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: capacity) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

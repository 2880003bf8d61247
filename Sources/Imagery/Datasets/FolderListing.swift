import Files
import Foundation

/// The entries of a folder, in the order of names; hidden entries and what operating systems leave behind are left out,
/// links count as what they point to.
struct FolderListing {
    let url: URL
    let files: [String]
    let folders: [String]

    init(_ url: URL) throws {
        self.url = url
        let visible = try FolderContents.names(url).filter { !Self.isPassedOver($0) }
        folders = visible.filter { FolderListing.isFolder(url.appendingPathComponent($0)) ?? false }
        let isFolder = Set(folders)
        files = visible.filter { !isFolder.contains($0) }
    }

    /// Thumbnails, folder settings and copies of attributes that Windows, macOS and network storage put beside files,
    /// in small letters. No picture can be missed in them.
    private static let leftBehind: Set<String> = [
        "thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "@eadir", "$recycle.bin", "system volume information",
    ]

    static func isPassedOver(_ name: String) -> Bool { name.hasPrefix(".") || leftBehind.contains(name.lowercased()) }

    /// nil when there is nothing at the path, or a link whose target is missing.
    static func isFolder(_ url: URL) -> Bool? {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) ? isFolder.boolValue : nil
    }

    func path(_ name: String) -> URL { url.appendingPathComponent(name) }

    /// The first names, for a message about what was found.
    var summary: String {
        let names = folders.map { $0 + "/" } + files
        if names.isEmpty { return "it is empty" }
        let rest = names.count > 4 ? " and \(names.count - 4) more" : ""
        return "it holds " + names.prefix(4).joined(separator: ", ") + rest
    }
}

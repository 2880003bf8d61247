import Foundation

/// The pictures below a folder, and what lies beside them.
struct PictureTree {
    struct Picture {
        let url: URL
        /// Below the tree's folder, with slashes between.
        let path: String
    }

    /// In the order of their paths: those of a folder before those of its folders.
    private(set) var pictures: [Picture] = []
    /// Files named `metadata.…` with the paths of the folders they lie in, outer ones first.
    private(set) var metadata: [(url: URL, folder: String)] = []

    /// Everything below a folder.
    ///
    /// - Throws: `DatasetError` for a file that might be a picture and is none of those read, and for links that lead
    ///   round.
    init(_ listing: FolderListing) throws {
        try gather(listing, path: "", within: [])
        metadata.sort { $0.folder.count < $1.folder.count }
    }

    private mutating func gather(_ listing: FolderListing, path: String, within ancestors: [String]) throws {
        let place = listing.url.resolvingSymlinksInPath().path
        guard !ancestors.contains(place) else {
            throw DatasetError.unknownLayout(
                path: listing.url.path, reason: "it is a link to a folder that it lies in, \(place)")
        }
        try Self.refuseOtherFiles(in: listing)
        for name in listing.files {
            if ImageFile.isName(name) { pictures.append(Picture(url: listing.path(name), path: path + name)) }
            if PictureMetadata.isName(name) { metadata.append((listing.path(name), path)) }
        }
        for name in listing.folders {
            try gather(FolderListing(listing.path(name)), path: "\(path)\(name)/", within: ancestors + [place])
        }
    }

    /// Texts about pictures, which may lie beside them. Anything else might be a picture that would be missed.
    private static func isCompanion(_ name: String) -> Bool {
        let stem = name.split(separator: ".").first.map { $0.uppercased() } ?? ""
        let ending = ImageFormat.ending(of: name).lowercased()
        return ["txt", "md", "json", "jsonl", "csv", "tsv", "yaml", "yml", "html", "xml"].contains(ending)
            || ["README", "LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "AUTHORS"].contains(stem)
    }

    static func refuseOtherFiles(in listing: FolderListing) throws {
        guard let other = listing.files.first(where: { !ImageFile.isName($0) && !isCompanion($0) }) else { return }
        let reason =
            if let format = ImageFormat(fileName: other) {
                "\(other) is a \(format.name) image; PNG and JPEG are read. ImageMagick converts a folder: "
                    + ImageFormat.conversion(of: other)
            } else {
                "\(other) is not a PNG or JPEG; only these are read from folders"
            }
        throw DatasetError.unknownLayout(path: listing.url.path, reason: reason)
    }
}

/// The picture files of one folder, for whoever takes them as they are named.
public enum PictureFolder {
    /// The names of the PNG and JPEG files in a folder, in order; folders and texts in it are passed over.
    ///
    /// - Throws: `DatasetError` where the folder cannot be listed or a file might be a picture and is none of those
    ///   read.
    public static func names(in folder: URL) throws -> [String] {
        let listing = try FolderListing(folder)
        try PictureTree.refuseOtherFiles(in: listing)
        return listing.files.filter(ImageFile.isName)
    }
}

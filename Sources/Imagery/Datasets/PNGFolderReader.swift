import Foundation

/// Folders of PNG files: flat, or with one sub-folder a class.
enum PNGFolderReader {
    static func isPNG(_ name: String) -> Bool { name.lowercased().hasSuffix(".png") }

    /// Files about the images, which may lie beside them. Anything else might be an image that would be missed.
    private static func isCompanion(_ name: String) -> Bool {
        let stem = name.split(separator: ".")[0].uppercased()
        let ending = name.contains(".") ? name.split(separator: ".").last!.lowercased() : ""
        return ["txt", "md", "json", "jsonl", "csv", "yaml", "yml", "html"].contains(ending)
            || ["README", "LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "AUTHORS"].contains(stem)
    }

    /// All PNGs of one folder, in the order of their names.
    static func openFlat(_ listing: FolderListing, _ specification: DatasetSpecification) throws -> InMemoryDataset {
        let files = try images(of: listing)
        return try read(files.prefix(specification.limit ?? files.count), specification).finish(
            labels: nil, labelCount: nil)
    }

    /// Classes numbered in the order of the sub-folders' names; the first image of each class, then the second of each…
    static func openClasses(_ listing: FolderListing, _ specification: DatasetSpecification) throws -> InMemoryDataset {
        try refuseOtherFiles(in: listing)
        let classes = try listing.folders.map { try images(of: FolderListing(listing.path($0))) }
        var files: [URL] = []
        var labels: [Int] = []
        for turn in 0..<(classes.map(\.count).max() ?? 0) {
            for (label, members) in classes.enumerated() where turn < members.count {
                files.append(members[turn])
                labels.append(label)
            }
        }
        let taken = min(files.count, specification.limit ?? files.count)
        return try read(files.prefix(taken), specification).finish(
            labels: Array(labels.prefix(taken)), labelCount: classes.count, labelNames: listing.folders)
    }

    static func openFile(_ file: URL, _ specification: DatasetSpecification) throws -> InMemoryDataset {
        try read([file], specification).finish(labels: nil, labelCount: nil)
    }

    private static func images(of listing: FolderListing) throws -> [URL] {
        let path = listing.url.path
        let names = listing.files.filter(isPNG)
        guard !names.isEmpty else {
            throw DatasetError.unknownLayout(path: path, reason: "expected PNG files, but \(listing.summary)")
        }
        if let folder = listing.folders.first {
            throw DatasetError.unknownLayout(
                path: path,
                reason:
                    "there are both PNG files and folders (\(folder)/); expected PNG files alone, or one folder a class"
            )
        }
        try refuseOtherFiles(in: listing)
        return names.map(listing.path)
    }

    private static func refuseOtherFiles(in listing: FolderListing) throws {
        if let other = listing.files.first(where: { !isPNG($0) && !isCompanion($0) }) {
            throw DatasetError.unknownLayout(
                path: listing.url.path, reason: "\(other) is not a PNG; only PNG images are read from folders")
        }
    }

    private static func read(
        _ files: some Collection<URL>, _ specification: DatasetSpecification
    ) throws -> DatasetAssembler {
        var assembler = DatasetAssembler(specification, expectedCount: files.count)
        for file in files {
            try assembler.append(PNG.read(file), from: file.path)
        }
        return assembler
    }
}

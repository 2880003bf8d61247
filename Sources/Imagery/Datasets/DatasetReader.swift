import Files
import Foundation

/// Opens data sets by what is at their path.
///
/// It knows a folder with IDX files (MNIST, Fashion-MNIST; gzip or not), with CIFAR-10 batches (`data_batch_1.bin`…,
/// `test_batch.bin`), with PNG files, with sub-folders of PNG files (one a class), with folders `train` and `test` of
/// either of the last two; and a single IDX file of images, CIFAR-10 batch or PNG. Links are followed.
///
/// Hidden entries are ignored, and so are texts beside PNG files (licences, `.txt`, `.md`, `.csv`, `.json`…). Any other
/// file of a PNG folder is an error.
public enum DatasetReader {
    /// - Throws: `DatasetError`, `StorageError`, or `PNGError` for a PNG that cannot be read; all name the file or
    ///   folder.
    public static func open(_ specification: DatasetSpecification) throws -> InMemoryDataset {
        try specification.validate()
        let url = URL(fileURLWithPath: specification.path)
        // What may not be looked at is not missing.
        _ = try FileKind(reading: url)
        guard let isFolder = FolderListing.isFolder(url) else {
            throw DatasetError.unreadable(path: specification.path, reason: "there is nothing at this path")
        }
        return isFolder
            ? try openFolder(FolderListing(url), specification, mayHaveSplits: true)
            : try openFile(url, specification)
    }

    private static func openFolder(
        _ listing: FolderListing, _ specification: DatasetSpecification, mayHaveSplits: Bool
    ) throws -> InMemoryDataset {
        let kinds = [
            ("IDX files", listing.files.contains(where: IDXReader.isImages)),
            ("CIFAR-10 batches", listing.files.contains(where: CIFARReader.isBatch)),
            ("PNG files", listing.files.contains(where: PNGFolderReader.isPNG)),
        ].filter(\.1).map(\.0)
        guard kinds.count <= 1 else {
            throw DatasetError.unknownLayout(
                path: listing.url.path,
                reason:
                    "there are \(kinds.joined(separator: " and ")) in it; expected one kind, or the path of one file")
        }
        switch kinds.first {
        case "IDX files": return try IDXReader.open(listing, specification)
        case "CIFAR-10 batches": return try CIFARReader.open(listing, specification)
        case "PNG files":
            try requireTrain(listing, specification, mayHaveSplits)
            return try PNGFolderReader.openFlat(listing, specification)
        default: break
        }
        guard !listing.folders.isEmpty else {
            throw DatasetError.unknownLayout(
                path: listing.url.path,
                reason:
                    "\(listing.summary); expected IDX files, CIFAR-10 .bin batches, PNG files or folders of PNG files")
        }
        let splits = DatasetSpecification.Split.allCases.map(\.rawValue)
        if mayHaveSplits && listing.folders.allSatisfy(splits.contains) {
            guard listing.folders.contains(specification.split.rawValue) else {
                throw DatasetError.noSplit(
                    path: listing.url.path, reason: "has no \(specification.split.rawValue) split: \(listing.summary)")
            }
            let part = try FolderListing(listing.path(specification.split.rawValue))
            return try openFolder(part, specification, mayHaveSplits: false)
        }
        try requireTrain(listing, specification, mayHaveSplits)
        return try PNGFolderReader.openClasses(listing, specification)
    }

    /// A folder without parts has no test split to give.
    private static func requireTrain(
        _ listing: FolderListing, _ specification: DatasetSpecification, _ mayHaveSplits: Bool
    ) throws {
        guard mayHaveSplits, specification.split != .train else { return }
        throw DatasetError.noSplit(
            path: listing.url.path,
            reason: "has no \(specification.split.rawValue) split: its PNG files are not in folders train and test")
    }

    private static func openFile(_ url: URL, _ specification: DatasetSpecification) throws -> InMemoryDataset {
        let data = try IDXFile.data(url)
        if data.starts(with: [0x89, 0x50, 0x4e, 0x47]) { return try PNGFolderReader.openFile(url, specification) }
        // Before IDX: a batch may by chance begin like an IDX file.
        if url.pathExtension == "bin" { return try CIFARReader.open([url], specification) }
        if data.starts(with: [0x1f, 0x8b]) || data.starts(with: [0, 0, 8]) {
            return try IDXReader.open(url, specification)
        }
        throw DatasetError.unknownLayout(
            path: url.path, reason: "expected an IDX file of images, a CIFAR-10 .bin batch or a PNG")
    }
}

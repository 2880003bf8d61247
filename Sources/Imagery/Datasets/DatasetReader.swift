import Files
import Foundation

/// Opens data sets by what is at their path.
///
/// It knows a folder with IDX files (MNIST, Fashion-MNIST; gzip or not), with CIFAR-10 batches (`data_batch_1.bin`…,
/// `test_batch.bin`) or CIFAR-100's (`train.bin`, `test.bin`), with PNG or JPEG files, with sub-folders of such files
/// at any depth (one class a folder at the top), with classes by `metadata.jsonl` or `metadata.csv`, with a folder for
/// each split (`train`, `validation`, `test` and their kin) of any of these; and a single IDX file of images, CIFAR
/// batch, PNG or JPEG. Links are followed.
///
/// Hidden entries and what operating systems leave behind (`Thumbs.db`, `__MACOSX`…) are passed over, and so are texts
/// beside pictures (licences, `.txt`, `.md`, `.csv`, `.json`…). Any other file among pictures is an error.
public enum DatasetReader {
    /// - Throws: `DatasetError`, `StorageError`, or `ImageFileError` for a picture that cannot be read; all name the
    ///   file or folder.
    public static func open(_ specification: DatasetSpecification) throws -> InMemoryDataset {
        try specification.validate()
        let url = URL(fileURLWithPath: specification.path)
        // What may not be looked at is not missing.
        _ = try FileKind(reading: url)
        guard let isFolder = FolderListing.isFolder(url) else {
            throw DatasetError.unreadable(path: specification.path, reason: "there is nothing at this path")
        }
        return isFolder
            ? try openFolder(FolderListing(url), specification)
            : try openFile(url, specification)
    }

    private static func openFolder(
        _ listing: FolderListing, _ specification: DatasetSpecification
    ) throws -> InMemoryDataset {
        if let dataset = try openBatches(listing, specification) { return dataset }
        let split = specification.split
        guard let splits = try SplitFolders(in: listing) else {
            try requireTrain(listing, specification)
            return try PictureFolderReader(listing, specification).open()
        }
        guard let name = splits.names[split] else {
            throw DatasetError.noSplit(
                path: listing.url.path, reason: "has no \(split.rawValue) split: \(listing.summary)")
        }
        let part = try FolderListing(listing.path(name))
        if let dataset = try openBatches(part, specification) { return dataset }
        let train = try split == .train ? nil : splits.names[.train].map { try FolderListing(listing.path($0)) }
        return try PictureFolderReader(part, of: listing, train: train, specification).open()
    }

    /// The data set where it is one of a few large files; nil where there are none in the folder.
    private static func openBatches(
        _ listing: FolderListing, _ specification: DatasetSpecification
    ) throws -> InMemoryDataset? {
        let cifar = try CIFARReader.format(of: listing)
        let kinds = [
            ("IDX files", listing.files.contains(where: IDXReader.isImages)),
            (cifar.map { "\($0.name) batches" } ?? "", cifar != nil),
            ("pictures", listing.files.contains(where: ImageFile.isName)),
        ].filter(\.1).map(\.0)
        guard kinds.count <= 1 else {
            throw DatasetError.unknownLayout(
                path: listing.url.path,
                reason:
                    "there are \(kinds.joined(separator: " and ")) in it; expected one kind, or the path of one file")
        }
        if let cifar {
            try refuseLabelColumn(listing.url.path, specification)
            return try CIFARReader.open(listing, cifar, specification)
        }
        switch kinds.first {
        case "IDX files":
            try refuseLabelColumn(listing.url.path, specification)
            return try IDXReader.open(listing, specification)
        case nil where listing.folders.isEmpty:
            try PictureTree.refuseOtherFiles(in: listing)
            throw DatasetError.unknownLayout(
                path: listing.url.path,
                reason:
                    "\(listing.summary); expected IDX files, CIFAR .bin batches, PNG or JPEG files, or folders of "
                    + "them")
        default: return nil
        }
    }

    /// A folder without parts has no other split to give.
    private static func requireTrain(_ listing: FolderListing, _ specification: DatasetSpecification) throws {
        guard specification.split != .train else { return }
        let split = specification.split.rawValue
        throw DatasetError.noSplit(
            path: listing.url.path, reason: "has no \(split) split: its pictures are not in folders train and \(split)")
    }

    /// Only pictures have columns beside them.
    private static func refuseLabelColumn(_ path: String, _ specification: DatasetSpecification) throws {
        guard let column = specification.labelColumn else { return }
        throw DatasetError.badOption(
            "the label column is '\(column)', but \(path) is no folder of pictures with a metadata.jsonl or "
                + "metadata.csv"
        )
    }

    private static func openFile(_ url: URL, _ specification: DatasetSpecification) throws -> InMemoryDataset {
        try refuseLabelColumn(url.path, specification)
        let data = try IDXFile.data(url)
        let format = ImageFormat(signature: [UInt8](data.prefix(ImageFormat.signatureLength)))
        // Before pictures and IDX: a batch may by chance begin like either.
        if url.pathExtension == "bin" {
            return try CIFARReader.open([url], CIFARFormat.of(url.lastPathComponent) ?? .ten, specification)
        }
        if format != nil || ImageFile.isName(url.lastPathComponent) {
            return try PictureFolderReader.openFile(url, specification)
        }
        if data.starts(with: [0x1f, 0x8b]) || data.starts(with: [0, 0, 8]) {
            return try IDXReader.open(url, specification)
        }
        throw DatasetError.unknownLayout(
            path: url.path, reason: "expected an IDX file of images, a CIFAR .bin batch, a PNG or a JPEG")
    }
}

import Files
import Foundation

/// A folder of pictures as a data set: flat, with one folder a class, or with classes by `metadata.jsonl` or
/// `metadata.csv`.
struct PictureFolderReader {
    private let listing: FolderListing
    /// The folder of all splits, where there are several; a table in it is about all of them.
    private let parent: FolderListing?
    /// The train split, whose classes number those of the other splits too; nil where this is it.
    private let train: FolderListing?
    private let specification: DatasetSpecification

    init(
        _ listing: FolderListing, of parent: FolderListing? = nil, train: FolderListing? = nil,
        _ specification: DatasetSpecification
    ) {
        self.listing = listing
        self.parent = parent
        self.train = train
        self.specification = specification
    }

    private var path: String { listing.url.path }

    /// Flat folders in the order of names. Labelled pictures in turn: the first of each class, then the second of each…
    func open() throws -> InMemoryDataset {
        let tree = try PictureTree(listing)
        let tables = try tables(of: tree)
        if !tables.isEmpty { return try open(tree, labels: labels(of: tree, by: tables)) }
        if let column = specification.labelColumn {
            throw DatasetError.badOption(
                "the label column is '\(column)', but there is no metadata.jsonl or metadata.csv in \(path)")
        }
        guard !tree.pictures.isEmpty else {
            throw DatasetError.unknownLayout(path: path, reason: "expected PNG or JPEG files, but \(listing.summary)")
        }
        let direct = tree.pictures.count { !$0.path.contains("/") }
        guard direct > 0 else { return try open(tree, labels: folderLabels(of: tree)) }
        guard listing.folders.isEmpty else {
            throw DatasetError.unknownLayout(
                path: path,
                reason:
                    "there are both pictures (\(tree.pictures[0].path)) and folders (\(listing.folders[0])/) in it; "
                    + "expected pictures alone, one folder a class, or a metadata.csv that names the classes")
        }
        let files = tree.pictures.map(\.url)
        return try Self.read(files.prefix(specification.limit ?? files.count), specification).finish(
            labels: nil, labelCount: nil)
    }

    static func openFile(_ file: URL, _ specification: DatasetSpecification) throws -> InMemoryDataset {
        try read([file], specification).finish(labels: nil, labelCount: nil)
    }

    // MARK: classes

    /// The classes of pictures, in their order, and how many classes there are.
    private struct Labels {
        let values: [Int]
        let count: Int
        /// nil where classes are numbers.
        let names: [String]?
    }

    /// Of the folder at the top that a picture lies in, however deep.
    private func folderLabels(of tree: PictureTree) throws -> Labels {
        func top(_ picture: PictureTree.Picture) -> String { String(picture.path.prefix { $0 != "/" }) }
        let filled = Set(tree.pictures.map(top))
        if let empty = listing.folders.first(where: { !filled.contains($0) }) {
            let inside = try FolderListing(listing.path(empty))
            throw DatasetError.unknownLayout(
                path: inside.url.path, reason: "expected PNG or JPEG files, but \(inside.summary)")
        }
        let names = Self.numbered(listing.folders, after: train?.folders ?? [])
        let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        return Labels(values: tree.pictures.map { numbers[top($0)] ?? 0 }, count: names.count, names: names)
    }

    /// Names of classes, numbered in their order after those that have numbers already.
    private static func numbered(_ names: some Sequence<String>, after known: [String]) -> [String] {
        let taken = Set(known)
        return known + Set(names).subtracting(taken).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// A table of classes, and what the names of its files are put behind to be paths below the split's folder.
    private struct Table {
        let metadata: PictureMetadata
        /// The path of the table's folder, "a/b/".
        let folder: String
        /// The name of the split's folder where the table lies above it.
        let split: String?

        /// The picture that an entry is about; nil for one of another split.
        func path(of entry: PictureMetadata.Entry) -> String? {
            let parts = (folder + entry.fileName).split(separator: "/").filter { $0 != "." }
            guard let split else { return parts.joined(separator: "/") }
            return parts.first.map(String.init) == split ? parts.dropFirst().joined(separator: "/") : nil
        }
    }

    /// The tables that name classes, those above and outside first.
    private func tables(of tree: PictureTree) throws -> [Table] {
        var tables =
            try Self.table(in: parent, specification).map {
                [Table(metadata: $0, folder: "", split: listing.url.lastPathComponent)]
            } ?? []
        for (url, folder) in tree.metadata {
            guard let metadata = try PictureMetadata(url, labelColumn: specification.labelColumn) else { continue }
            if let other = tables.last, other.split == nil, other.folder == folder {
                throw DatasetError.unknownLayout(
                    path: url.deletingLastPathComponent().path,
                    reason:
                        "both \(other.metadata.url.lastPathComponent) and \(url.lastPathComponent) name its classes; "
                        + "expected one of them")
            }
            tables.append(Table(metadata: metadata, folder: folder, split: nil))
        }
        return tables
    }

    private static func table(
        in listing: FolderListing?, _ specification: DatasetSpecification
    ) throws -> PictureMetadata? {
        guard let listing, let name = listing.files.first(where: PictureMetadata.isName) else { return nil }
        return try PictureMetadata(listing.path(name), labelColumn: specification.labelColumn)
    }

    private func labels(of tree: PictureTree, by tables: [Table]) throws -> Labels {
        let known = Set(tree.pictures.map(\.path))
        var labels: [String: String] = [:]
        for table in tables {
            var seen: Set<String> = []
            for entry in table.metadata.entries {
                guard let path = table.path(of: entry) else { continue }
                func fail(_ reason: String) -> DatasetError {
                    .metadata(file: table.metadata.url.path, line: entry.line, reason: reason)
                }
                guard known.contains(path) else { throw fail("there is no picture \(Quoted(entry.fileName))") }
                guard seen.insert(path).inserted else { throw fail("\(Quoted(entry.fileName)) has a line already") }
                labels[path] = entry.label
            }
        }
        if let picture = tree.pictures.first(where: { labels[$0.path] == nil }) {
            throw DatasetError.metadata(
                file: tables[0].metadata.url.path, line: nil, reason: "there is no line for \(picture.url.path)")
        }
        guard !tree.pictures.isEmpty else {
            throw DatasetError.unknownLayout(path: path, reason: "expected PNG or JPEG files, but \(listing.summary)")
        }
        return try numbers(tree.pictures.map { labels[$0.path] ?? "" }, train: trainLabels())
    }

    /// The classes that the tables of the train split name; none where this is the train split.
    private func trainLabels() throws -> [String] {
        guard let train else { return [] }
        let reader = PictureFolderReader(train, of: parent, specification)
        return try reader.tables(of: PictureTree(train)).flatMap { table in
            table.metadata.entries.filter { table.path(of: $0) != nil }.map(\.label)
        }
    }

    /// The most classes that a model can have.
    private static let maximumClasses = 1_000_000

    /// Labels that are all whole numbers are the numbers of classes; others are names, numbered in their order.
    private func numbers(_ labels: [String], train: [String]) throws -> Labels {
        let all = labels + train
        let values = all.compactMap { Int($0) }
        guard values.count == all.count else {
            let names = Self.numbered(labels, after: Self.numbered(train, after: []))
            let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
            return Labels(values: labels.map { numbers[$0] ?? 0 }, count: names.count, names: names)
        }
        if let bad = values.first(where: { !(0..<Self.maximumClasses).contains($0) }) {
            throw DatasetError.unknownLayout(
                path: path, reason: "a picture has class \(bad); expected 0...\(Self.maximumClasses - 1), or names")
        }
        return Labels(values: Array(values.prefix(labels.count)), count: (values.max() ?? 0) + 1, names: nil)
    }

    // MARK: reading

    private func open(_ tree: PictureTree, labels: Labels) throws -> InMemoryDataset {
        let members = Dictionary(grouping: labels.values.indices, by: { labels.values[$0] })
            .sorted { $0.key < $1.key }.map(\.value)
        var order: [Int] = []
        for turn in 0..<(members.map(\.count).max() ?? 0) {
            for pictures in members where turn < pictures.count { order.append(pictures[turn]) }
        }
        let taken = order.prefix(specification.limit ?? order.count)
        return try Self.read(taken.map { tree.pictures[$0].url }, specification).finish(
            labels: taken.map { labels.values[$0] }, labelCount: labels.count, labelNames: labels.names)
    }

    private static func read(
        _ files: some Collection<URL>, _ specification: DatasetSpecification
    ) throws -> DatasetAssembler {
        var assembler = DatasetAssembler(specification, expectedCount: files.count)
        for file in files {
            try assembler.append(ImageFile.read(file), from: file.path)
        }
        return assembler
    }
}

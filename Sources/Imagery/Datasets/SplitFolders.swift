/// Folders that are the splits of a data set, known by their names.
struct SplitFolders {
    /// The folder of each split there is.
    let names: [DatasetSpecification.Split: String]

    /// The splits among the folders of a listing; nil where the folders are none. They are splits when two of them at
    /// least have names of different splits, or when all do. What lies beside two splits belongs to neither and is left
    /// alone.
    ///
    /// - Throws: `DatasetError` where two folders are the same split, and where one folder has the name of a split
    ///   beside others that have none: taking all for classes could mean training on what is to be tested on.
    init?(in listing: FolderListing) throws {
        var names: [DatasetSpecification.Split: String] = [:]
        for folder in listing.folders {
            guard let split = Self.split(named: folder) else { continue }
            if let other = names[split] {
                throw DatasetError.unknownLayout(
                    path: listing.url.path,
                    reason:
                        "both \(other)/ and \(folder)/ are its \(split.rawValue) split; give the path of one of them")
            }
            names[split] = folder
        }
        guard let (split, name) = names.first else { return nil }
        if names.count == 1, let other = listing.folders.first(where: { $0 != name }) {
            throw DatasetError.unknownLayout(
                path: listing.url.path,
                reason:
                    "\(name)/ has the name of a split (\(split.rawValue)), and \(other)/ beside it has not; expected "
                    + "splits (train/, validation/, test/) or folders of classes. Give the path of \(name)/ to read it "
                    + "alone, or rename it where it is a class")
        }
        if let picture = listing.files.first(where: { ImageFormat(fileName: $0) != nil }) {
            throw DatasetError.unknownLayout(
                path: listing.url.path,
                reason:
                    "there are both splits (\(name)/) and pictures (\(picture)) in it; expected pictures to lie in the "
                    + "folders of the splits")
        }
        self.names = names
    }

    private static func split(named folder: String) -> DatasetSpecification.Split? {
        let name = folder.lowercased()
        return DatasetSpecification.Split.allCases.first { $0.folderNames.contains(name) }
    }
}

import Foundation

/// MNIST-like data sets: `…images…idx3…` beside `…labels…idx1…`, each plain or with `.gz`.
enum IDXReader {
    static func isImages(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.contains("images") && name.contains("idx3")
    }

    /// Finds the file of the split among those of a folder: names with "t10k" or "test" are the test split, those
    /// with the word "val", "valid", "validation" or "dev" the validation split.
    static func open(_ listing: FolderListing, _ specification: DatasetSpecification) throws -> InMemoryDataset {
        let names = listing.files.filter(isImages)
        let plain = Set(names)
        let distinct = names.filter { !($0.hasSuffix(".gz") && plain.contains(String($0.dropLast(3)))) }
        let found = distinct.filter { split(of: $0) == specification.split }
        guard let name = found.first else {
            throw DatasetError.noSplit(
                path: listing.url.path,
                reason:
                    "has no \(specification.split.rawValue) split; its images are \(distinct.joined(separator: ", "))")
        }
        guard found.count == 1 else {
            throw DatasetError.unknownLayout(
                path: listing.url.path,
                reason: "several files are its \(specification.split.rawValue) split: "
                    + "\(found.joined(separator: ", ")); give the path of one of them")
        }
        return try open(listing.path(name), specification)
    }

    private static func split(of name: String) -> DatasetSpecification.Split {
        let name = name.lowercased()
        if name.contains("t10k") || name.contains("test") { return .test }
        let words = name.split { !$0.isLetter }.map(String.init)
        return words.contains(where: DatasetSpecification.Split.validation.folderNames.contains) ? .validation : .train
    }

    /// Reads one file of images and, where it lies beside it, its file of labels.
    static func open(_ images: URL, _ specification: DatasetSpecification) throws -> InMemoryDataset {
        let file = try IDXFile(images, dimensions: 3)
        let (count, height, width) = (file.sizes[0], file.sizes[1], file.sizes[2])
        let size = height * width
        var labels: [Int]?
        if let url = labelsFile(of: images) {
            let labelFile = try IDXFile(url, dimensions: 1)
            guard labelFile.sizes[0] == count else {
                throw DatasetError.broken(
                    file: url.path,
                    reason:
                        "it holds \(labelFile.sizes[0]) labels for the \(count) images of \(images.lastPathComponent)")
            }
            labels = labelFile.bytes.map(Int.init)
        }
        let taken = min(count, specification.limit ?? count)
        var assembler = DatasetAssembler(specification, expectedCount: taken)
        for index in 0..<taken {
            let pixels = Array(file.bytes[index * size..<(index + 1) * size])
            try assembler.append(Image(width: width, height: height, channels: 1, pixels: pixels), from: images.path)
        }
        return assembler.finish(
            labels: labels.map { Array($0.prefix(taken)) }, labelCount: labels.map { $0.max()! + 1 })
    }

    private static func labelsFile(of images: URL) -> URL? {
        var name = images.lastPathComponent
        if name.hasSuffix(".gz") { name = String(name.dropLast(3)) }
        for (word, counterpart) in [("images", "labels"), ("idx3", "idx1")] {
            guard let range = name.range(of: word, options: .backwards) else { return nil }
            name.replaceSubrange(range, with: counterpart)
        }
        let folder = images.deletingLastPathComponent()
        return [name, name + ".gz"].map(folder.appendingPathComponent).first { FolderListing.isFolder($0) == false }
    }
}

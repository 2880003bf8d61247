import Foundation

/// The binary version of CIFAR-10: records of a label byte, then 32 × 32 red, green and blue samples in three planes.
enum CIFARReader {
    static let side = 32
    static let recordLength = 1 + 3 * side * side
    static let labelNames = [
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ]

    /// The number of a training batch by its file name, `data_batch_<number>.bin`.
    static func batchNumber(_ name: String) -> Int? {
        guard name.hasPrefix("data_batch_"), name.hasSuffix(".bin") else { return nil }
        return Int(name.dropFirst("data_batch_".count).dropLast(".bin".count))
    }

    static func isBatch(_ name: String) -> Bool { batchNumber(name) != nil || name == "test_batch.bin" }

    /// Reads the training batches in the order of their numbers, or the test batch.
    static func open(_ listing: FolderListing, _ specification: DatasetSpecification) throws -> InMemoryDataset {
        let batches: [String]
        switch specification.split {
        case .train:
            batches = listing.files.filter { batchNumber($0) != nil }
                .sorted { batchNumber($0)! < batchNumber($1)! }
        case .validation: batches = []
        case .test: batches = listing.files.filter { $0 == "test_batch.bin" }
        }
        guard !batches.isEmpty else {
            throw DatasetError.noSplit(
                path: listing.url.path, reason: "has no \(specification.split.rawValue) split: \(listing.summary)")
        }
        return try open(batches.map(listing.path), specification)
    }

    static func open(_ files: [URL], _ specification: DatasetSpecification) throws -> InMemoryDataset {
        var batches: [(file: URL, data: Data)] = []
        for file in files {
            let data = try IDXFile.data(file)
            guard !data.isEmpty, data.count % recordLength == 0 else {
                throw DatasetError.broken(
                    file: file.path,
                    reason: "it holds \(data.count) bytes; CIFAR-10 records are \(recordLength) bytes each")
            }
            batches.append((file, data))
        }
        let count = batches.reduce(0) { $0 + $1.data.count / recordLength }
        let taken = min(count, specification.limit ?? count)
        var assembler = DatasetAssembler(specification, expectedCount: taken)
        var labels: [Int] = []
        for (file, data) in batches {
            for record in 0..<min(data.count / recordLength, taken - labels.count) {
                let start = record * recordLength
                let label = Int(data[start])
                guard label < labelNames.count else {
                    throw DatasetError.broken(
                        file: file.path, reason: "record \(record) has label \(label); CIFAR-10 has labels 0 to 9")
                }
                labels.append(label)
                try assembler.append(image(Array(data[start + 1..<start + recordLength])), from: file.path)
            }
        }
        return assembler.finish(labels: labels, labelCount: labelNames.count, labelNames: labelNames)
    }

    private static func image(_ planes: [UInt8]) -> Image {
        let size = side * side
        var pixels = [UInt8](repeating: 0, count: 3 * size)
        for pixel in 0..<size {
            for c in 0..<3 { pixels[3 * pixel + c] = planes[c * size + pixel] }
        }
        return Image(width: side, height: side, channels: 3, pixels: pixels)
    }
}

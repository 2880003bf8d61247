import Files
import Foundation

/// Reads the binary batches of CIFAR-10 and CIFAR-100.
enum CIFARReader {
    /// The format of the batches in a folder; nil where there are none.
    /// - Throws: `DatasetError.unknownLayout` where there are some of both.
    static func format(of listing: FolderListing) throws -> CIFARFormat? {
        let formats = CIFARFormat.all.filter { listing.files.contains(where: $0.isBatch) }
        guard formats.count <= 1 else {
            throw DatasetError.unknownLayout(
                path: listing.url.path,
                reason: "there are CIFAR-10 and CIFAR-100 batches in it; expected one kind, or the path of one file")
        }
        return formats.first
    }

    /// Reads the training batches in the order of their numbers, or the test batch.
    static func open(
        _ listing: FolderListing, _ format: CIFARFormat, _ specification: DatasetSpecification
    ) throws -> InMemoryDataset {
        let batches: [String]
        switch specification.split {
        case .train:
            batches = listing.files.compactMap { file in format.trainingOrder(file).map { (file, $0) } }
                .sorted { $0.1 < $1.1 }.map(\.0)
        case .validation: batches = []
        case .test: batches = listing.files.filter { $0 == format.testFile }
        }
        guard !batches.isEmpty else {
            throw DatasetError.noSplit(
                path: listing.url.path, reason: "has no \(specification.split.rawValue) split: \(listing.summary)")
        }
        return try open(batches.map(listing.path), format, specification)
    }

    static func open(
        _ files: [URL], _ format: CIFARFormat, _ specification: DatasetSpecification
    ) throws -> InMemoryDataset {
        var batches: [(file: URL, data: Data)] = []
        for file in files {
            let data = try IDXFile.data(file)
            guard !data.isEmpty, data.count % format.recordLength == 0 else {
                throw DatasetError.broken(
                    file: file.path,
                    reason: "it holds \(data.count) bytes; \(format.name) records are \(format.recordLength) bytes each"
                )
            }
            batches.append((file, data))
        }
        let names = try format.labelNames ?? labelNames(beside: files[0], format)
        let count = batches.reduce(0) { $0 + $1.data.count / format.recordLength }
        let taken = min(count, specification.limit ?? count)
        var assembler = DatasetAssembler(specification, expectedCount: taken)
        var labels: [Int] = []
        for (file, data) in batches {
            for record in 0..<min(data.count / format.recordLength, taken - labels.count) {
                let start = record * format.recordLength
                let label = Int(data[start + format.labelOffset])
                guard label < format.labelCount else {
                    throw DatasetError.broken(
                        file: file.path,
                        reason: "record \(record) has label \(label); \(format.name) has labels 0 to "
                            + "\(format.labelCount - 1)")
                }
                labels.append(label)
                try assembler.append(
                    image(Array(data[start + format.labelBytes..<start + format.recordLength])), from: file.path)
            }
        }
        return assembler.finish(labels: labels, labelCount: format.labelCount, labelNames: names)
    }

    private static func labelNames(beside batch: URL, _ format: CIFARFormat) throws -> [String]? {
        guard let name = format.labelNamesFile else { return nil }
        let file = batch.deletingLastPathComponent().appendingPathComponent(name)
        guard FileKind(at: file) != .nothing else { return nil }
        let names = String(decoding: try IDXFile.data(file), as: UTF8.self)
            .split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
        guard names.count == format.labelCount else {
            throw DatasetError.broken(
                file: file.path,
                reason: "it holds \(names.count) names; \(format.name) has \(format.labelCount) classes")
        }
        return names
    }

    private static func image(_ planes: [UInt8]) -> Image {
        let size = CIFARFormat.side * CIFARFormat.side
        var pixels = [UInt8](repeating: 0, count: 3 * size)
        for pixel in 0..<size {
            for c in 0..<3 { pixels[3 * pixel + c] = planes[c * size + pixel] }
        }
        return Image(width: CIFARFormat.side, height: CIFARFormat.side, channels: 3, pixels: pixels)
    }
}

import Foundation

/// One of the two binary versions of CIFAR: records of label bytes, then 32 × 32 red, green and blue samples in three
/// planes.
struct CIFARFormat: Sendable {
    let name: String
    /// Bytes before the samples.
    let labelBytes: Int
    let labelCount: Int
    /// Of training batches, with the order they are read in; nil for other files.
    let trainingOrder: @Sendable (_ file: String) -> Int?
    let testFile: String
    /// Names of the classes, unless a file beside the batches has them.
    let labelNames: [String]?
    /// That file: a name a line.
    let labelNamesFile: String?

    static let side = 32
    static let sampleBytes = 3 * side * side

    var recordLength: Int { labelBytes + Self.sampleBytes }

    /// The last label byte is the class: of CIFAR-100 the first is one of 20 coarse ones.
    var labelOffset: Int { labelBytes - 1 }

    func isBatch(_ file: String) -> Bool { trainingOrder(file) != nil || file == testFile }

    static let ten = CIFARFormat(
        name: "CIFAR-10", labelBytes: 1, labelCount: 10,
        trainingOrder: { file in
            guard file.hasPrefix("data_batch_"), file.hasSuffix(".bin") else { return nil }
            return Int(file.dropFirst("data_batch_".count).dropLast(".bin".count))
        }, testFile: "test_batch.bin",
        labelNames: [
            "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
        ], labelNamesFile: nil)

    static let hundred = CIFARFormat(
        name: "CIFAR-100", labelBytes: 2, labelCount: 100, trainingOrder: { $0 == "train.bin" ? 0 : nil },
        testFile: "test.bin", labelNames: nil, labelNamesFile: "fine_label_names.txt")

    static let all = [ten, hundred]

    /// The format whose batches have such a name; nil for a name of neither.
    static func of(_ file: String) -> CIFARFormat? { all.first { $0.isBatch(file) } }
}

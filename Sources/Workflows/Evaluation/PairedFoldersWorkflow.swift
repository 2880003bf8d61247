import Evaluation
import Files
import Foundation
import Imagery
import Runs

/// Compares two folders of pictures (PNG, JPEG), pair by pair of equal names: what any two programs have drawn.
public struct PairedFoldersWorkflow {
    private let dense: URL
    private let pruned: URL
    private let command: String
    private let context: RunContext

    /// - Parameters:
    ///   - dense: a folder of PNGs.
    ///   - pruned: one of PNGs of the same names.
    ///   - command: the command line as typed, for the report.
    ///   - context: where the report goes.
    public init(dense: URL, pruned: URL, command: String = "", in context: RunContext) {
        self.dense = dense
        self.pruned = pruned
        self.command = command
        self.context = context
    }

    /// Writes `metrics.json` (consistency only), `grid.png` and `report.html`.
    /// - Throws: `EvaluationError.unpaired` unless both hold the same names; `DatasetError`, `ImageFileError`,
    ///   `ImageError`, `StorageError`.
    public func run() throws -> ConsistencySummary {
        let names = try Self.names(dense, pruned)
        return try context.writing {
            var (first, second) = ([Image](), [Image]())
            for (index, name) in names.enumerated() {
                first.append(try ImageFile.read(dense.appendingPathComponent(name)))
                second.append(try ImageFile.read(pruned.appendingPathComponent(name)))
                guard first[index].width == second[index].width, first[index].height == second[index].height else {
                    throw ImageError.sizesDiffer(
                        "\(dense.appendingPathComponent(name).path) of \(first[index].width)×\(first[index].height)",
                        "\(pruned.appendingPathComponent(name).path) of \(second[index].width)×\(second[index].height)")
                }
                // One of two pictures may have been saved as grey because it is.
                let channels = max(first[index].channels, second[index].channels) == 1 ? 1 : 3
                first[index] = first[index].converted(toChannels: channels)
                second[index] = second[index].converted(toChannels: channels)
                context.progress?(
                    ProgressUpdate(phase: "reading", unit: "pair", completed: index + 1, total: names.count))
            }
            let pairs = try ImageConsistency(first, second)
            let summary = try ConsistencySummary(pairs)
            let grid = try ConsistencyGrid.encoded(dense: first, pruned: second, pairs: pairs, names: names)
            let page = try FolderReport(
                summary: summary, grids: grid.halves, dense: dense.path, pruned: pruned.path, command: command
            ).page()
            let json: JSONValue = ["schema": 1, "count": .int(names.count), "consistency": try summary.json()]
            try StagedOutput.write(into: context.output) { folder in
                try AtomicFile.write(grid.whole, to: folder.appendingPathComponent("grid.png"))
                try JSONFile.write(json, to: folder.appendingPathComponent("metrics.json"))
                try page.write(to: folder.appendingPathComponent("report.html"))
            }
            return summary
        }
    }

    static func names(_ dense: URL, _ pruned: URL) throws -> [String] {
        let (first, second) = (try imageNames(in: dense), try imageNames(in: pruned))
        for (names, others, folder, other) in [(first, second, dense, pruned), (second, first, pruned, dense)] {
            let counterparts = Set(others)
            let lone = names.filter { !counterparts.contains($0) }
            guard lone.isEmpty else {
                throw EvaluationError.unpaired(folder: folder.path, other: other.path, names: lone)
            }
        }
        return first
    }

    private static func imageNames(in folder: URL) throws -> [String] {
        let names = try PictureFolder.names(in: folder)
        guard !names.isEmpty else { throw EvaluationError.noImages(folder: folder.path) }
        return names
    }
}

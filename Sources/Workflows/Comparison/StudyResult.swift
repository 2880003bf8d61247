import Evaluation
import Files
import Foundation
import ModelFolders
import Statistics

/// What came of one run of a study: `result.json` in its folder.
struct StudyResult: Codable, Equatable, Sendable {
    /// What an evaluation found, as far as runs are compared by it.
    struct Measures: Codable, Equatable, Sendable {
        /// Of what the dense model has.
        var macs: Double
        var parameters: Double
        /// Median of the time of a sampling step of a batch.
        var time: Double
        var memory: Double
        var bytes: Double
        /// Share of the weights of convolutions and linear layers that is not zero; nil where channels were removed.
        var weights: Double?
        /// To real images; nil where none was taken.
        var frechet: Double?
        var denseFrechet: Double?
        /// Mean over timesteps of the mean squared difference of predictions.
        var epsilonError: Double
    }

    /// Each picture beside the dense model's from the same noise.
    struct Pairs: Codable, Equatable, Sendable {
        var ssim: [Double?]
        /// Capped, as `evaluate` caps it.
        var psnr: [Double]
    }

    var schema = 1
    var finetuningSteps: Int
    /// Of pruning and fine-tuning, on the clock.
    var seconds: Double
    var measures: Measures
    var pairs: Pairs

    private static let name = "result.json"

    init(_ evaluation: EvaluationResult, pruning: PruningOutcome, seconds: Double) {
        finetuningSteps = pruning.finetuningSteps
        self.seconds = seconds
        let efficiency = evaluation.efficiency
        let errors = evaluation.predictions.timesteps.map(\.difference.mean)
        measures = Measures(
            macs: efficiency.macs.ratio, parameters: efficiency.parameters.ratio,
            time: efficiency.batchTiming.ratio.median, memory: efficiency.peakBytes.ratio,
            bytes: efficiency.fileBytes.ratio, weights: pruning.record.achieved.weights?.ratio,
            epsilonError: errors.reduce(0, +) / Double(errors.count))
        if case .measured(let distances) = evaluation.quality {
            measures.frechet = distances.pruned
            measures.denseFrechet = distances.dense
        }
        pairs = Pairs(
            ssim: evaluation.pairs.ssim, psnr: evaluation.pairs.psnr.map(PeakSignalToNoise.capped))
    }

    /// nil where the run is not done.
    /// - Throws: `StudyError.badResult`, `StorageError`.
    static func read(from folder: URL) throws -> StudyResult? {
        let url = folder.appendingPathComponent(name)
        guard try FileKind(reading: url, followingLinks: false) != .nothing else { return nil }
        do {
            return try JSONFile.read(url).decoded(as: StudyResult.self)
        } catch let error as SettingError {
            throw StudyError.badResult(path: url.path, reason: "\(error)")
        }
    }

    func write(to folder: URL) throws {
        try JSONFile.write(JSONValue(encoding: self), to: folder.appendingPathComponent(Self.name))
    }
}

/// Why a run of a study ended without a result: `failure.json` in its folder. It is tried again when the study is gone
/// on with.
enum StudyFailure {
    private static func url(_ folder: URL) -> URL { folder.appendingPathComponent("failure.json") }

    static func write(_ reason: String, to folder: URL) throws {
        try JSONFile.write(["schema": 1, "reason": .string(reason)], to: url(folder))
    }

    static func read(from folder: URL) throws -> String? {
        guard try FileKind(reading: url(folder), followingLinks: false) != .nothing else { return nil }
        return try JSONFile.read(url(folder))["reason"]?.stringValue
    }

    static func clear(_ folder: URL) { unlink(url(folder).path) }
}

/// The time that a run has taken so far, over all processes that worked on it: `time.json` in its folder. What a killed
/// one did since it began is not in it.
enum StudyTime {
    private static func url(_ folder: URL) -> URL { folder.appendingPathComponent("time.json") }

    static func read(from folder: URL) throws -> Double {
        guard try FileKind(reading: url(folder), followingLinks: false) != .nothing else { return 0 }
        return try JSONFile.read(url(folder))["seconds"]?.doubleValue ?? 0
    }

    static func write(_ seconds: Double, to folder: URL) throws {
        try JSONFile.write(["schema": 1, "seconds": .double(seconds)], to: url(folder))
    }
}

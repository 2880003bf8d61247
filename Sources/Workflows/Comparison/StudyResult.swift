import Files
import Foundation
import ModelFolders
import Statistics

/// What came of one run of a study: `result.json` in its folder.
struct StudyResult: Codable, Equatable, Sendable {
    /// What an evaluation found, as far as runs are compared by it.
    struct Measures: Equatable, Sendable {
        /// Of what the dense model has.
        var macs: Double
        var parameters: Double
        /// Median of the time of a step of a batch.
        var time: Double
        var memory: Double
        var bytes: Double
        /// Share of the weights of convolutions and linear layers that is not zero; nil where channels were removed.
        var weights: Double?
        /// Of the pruned model and of the dense one, by the keys of a study's readings.
        var readings: [String: Double]
        var denseReadings: [String: Double]
    }

    var schema = 1
    var finetuningSteps: Int
    /// Of pruning and fine-tuning, on the clock.
    var seconds: Double
    var measures: Measures
    /// By the keys of a study's quantities: each picture beside the dense model's.
    var pairs: [String: [Double?]]

    private static let name = "result.json"

    init(_ comparison: StudyMeasurement, pruning: PruningOutcome, seconds: Double) {
        finetuningSteps = pruning.finetuningSteps
        self.seconds = seconds
        let efficiency = comparison.efficiency
        measures = Measures(
            macs: efficiency.macs.ratio, parameters: efficiency.parameters.ratio,
            time: efficiency.batchTiming.ratio.median, memory: efficiency.peakBytes.ratio,
            bytes: efficiency.fileBytes.ratio, weights: pruning.record.achieved.weights?.ratio,
            readings: comparison.readings, denseReadings: comparison.denseReadings)
        pairs = comparison.pairs
    }

    /// The mean of a quantity over the pictures that have it; nil where none has.
    func mean(_ key: String) -> Double? {
        let values = (pairs[key] ?? []).compactMap { $0 }
        return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
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

/// In files readings lie beside the rest: "loss", and "denseLoss" of the dense model.
extension StudyResult.Measures: Codable {
    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ name: String) { stringValue = name }
        init(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    private static var ratios: [(name: String, path: WritableKeyPath<Self, Double>)] {
        [
            ("macs", \.macs), ("parameters", \.parameters), ("time", \.time), ("memory", \.memory), ("bytes", \.bytes),
        ]
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        self.init(macs: 0, parameters: 0, time: 0, memory: 0, bytes: 0, readings: [:], denseReadings: [:])
        for (name, path) in Self.ratios { self[keyPath: path] = try container.decode(Double.self, forKey: Key(name)) }
        weights = try container.decodeIfPresent(Double.self, forKey: Key("weights"))
        let known = Set(Self.ratios.map(\.name) + ["weights"])
        for key in container.allKeys where !known.contains(key.stringValue) {
            guard let value = try container.decodeIfPresent(Double.self, forKey: key) else { continue }
            let name = key.stringValue
            if name.hasPrefix("dense"), let first = name.dropFirst(5).first {
                denseReadings[first.lowercased() + name.dropFirst(6)] = value
            } else {
                readings[name] = value
            }
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        for (name, path) in Self.ratios { try container.encode(self[keyPath: path], forKey: Key(name)) }
        try container.encodeIfPresent(weights, forKey: Key("weights"))
        for (name, value) in readings { try container.encode(value, forKey: Key(name)) }
        for (name, value) in denseReadings {
            try container.encode(value, forKey: Key("dense" + name.prefix(1).uppercased() + name.dropFirst()))
        }
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

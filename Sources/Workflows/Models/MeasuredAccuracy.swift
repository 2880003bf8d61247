import Files
import Foundation
import ModelFolders

/// What a run of a classifier measured last on the images that it does not learn from.
public enum MeasuredAccuracy {
    /// - Parameter model: the result of a run.
    /// - Returns: a fraction; nil where nothing was measured.
    /// - Throws: `StorageError` where the run's log cannot be read.
    public static func last(beside model: URL) throws -> Double? {
        let log = model.standardizedFileURL.deletingLastPathComponent().appendingPathComponent("metrics.jsonl")
        return try JSONLinesLog(log).entries().last { $0["test_accuracy"] != nil }?["test_accuracy"]?.doubleValue
    }
}

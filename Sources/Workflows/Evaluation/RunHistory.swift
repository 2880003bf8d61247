import Configuration
import Files
import Foundation

/// What a pruning run noted on its way: `metrics.jsonl` and `config.yaml` of a run folder.
struct RunHistory {
    /// One mask update, numbered from 1.
    struct Update {
        let number: Double
        let density: Double?
        let softness: Double?
        let energy: Double?
        let calibrationLoss: Double?
        let recovered: Double?
        let removed: Double?
        /// Σ m of each channel group, in the order of the model's groups; empty where the log has none.
        let widths: [Double?]
    }

    struct Training {
        let step: Double
        let loss: Double
    }

    let updates: [Update]
    let training: [Training]
    /// The fully resolved configuration as YAML.
    let configuration: String

    /// The history of the run that `model` is the result of; nil where it lies in no run folder.
    static func beside(model: URL) throws -> RunHistory? {
        let folder = model.standardizedFileURL.deletingLastPathComponent()
        let log = folder.appendingPathComponent("metrics.jsonl")
        let configuration = folder.appendingPathComponent("config.yaml")
        let manager = FileManager.default
        guard manager.fileExists(atPath: log.path), manager.fileExists(atPath: configuration.path),
            let text = try? TextFile.read(configuration, limit: ConfigurationDocument.maximumBytes)
        else { return nil }
        return RunHistory(try JSONLinesLog(log).entries(), configuration: text)
    }

    init(_ entries: [JSONValue], configuration: String) {
        self.configuration = configuration
        updates = entries.compactMap { entry in
            guard let number = entry["update"]?.doubleValue else { return nil }
            return Update(
                number: number, density: entry["density"]?.doubleValue, softness: entry["softness"]?.doubleValue,
                energy: entry["energy"]?.doubleValue, calibrationLoss: entry["calibration_loss"]?.doubleValue,
                recovered: entry["recovered"]?.doubleValue, removed: entry["removed"]?.doubleValue,
                widths: (entry["widths"]?.arrayValue ?? []).map(\.doubleValue))
        }
        training = entries.compactMap { entry in
            guard let step = entry["step"]?.doubleValue, let loss = entry["loss"]?.doubleValue else { return nil }
            return Training(step: step, loss: loss)
        }
    }
}

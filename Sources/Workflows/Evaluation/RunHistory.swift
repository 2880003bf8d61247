import Configuration
import Files
import Foundation
import Runs

/// What a run noted on its way: `metrics.jsonl` and `config.yaml` of a run folder.
struct RunHistory {
    /// What kind of run it was, by the command that made it.
    enum Kind: String {
        case train, prune, finetune

        var name: String {
            switch self {
            case .train: "training"
            case .prune: "pruning"
            case .finetune: "fine-tuning"
            }
        }
    }

    struct Training {
        let step: Double
        let loss: Double
    }

    let kind: Kind
    /// Lines that are no whole report of an update are left out.
    let updates: [MaskUpdateEntry]
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
        let kind = RunRecord(folder: folder).command.flatMap(Kind.init)
        return RunHistory(try JSONLinesLog(log).entries(), kind: kind ?? .prune, configuration: text)
    }

    init(_ entries: [JSONValue], kind: Kind = .prune, configuration: String) {
        self.kind = kind
        self.configuration = configuration
        updates = entries.compactMap { try? $0.decoded(as: MaskUpdateEntry.self) }
        training = entries.compactMap { entry in
            guard let step = entry["step"]?.doubleValue, let loss = entry["loss"]?.doubleValue else { return nil }
            return Training(step: step, loss: loss)
        }
    }
}

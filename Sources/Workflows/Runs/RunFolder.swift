import Foundation
import Imagery
import Reports
import Storage

/// A run's folder: `config.yaml`, `metrics.jsonl`, event files, `samples/`, `checkpoints/`, and `model/` at the end.
public final class RunFolder {
    public let url: URL
    public let checkpoints: CheckpointStore
    private let log: JSONLinesLog
    private let events: EventFileWriter

    public enum Failure: Error, CustomStringConvertible {
        case differentConfiguration(path: String)

        public var description: String {
            switch self {
            case .differentConfiguration(let path):
                "\(path): the run there was made with another configuration; resume with that one, or choose another folder"
            }
        }
    }

    /// Opens a folder for a new run, or for going on with one made with the same configuration.
    ///
    /// - Parameter configuration: the fully resolved configuration as YAML.
    public init(_ url: URL, configuration: String, resuming: Bool) throws {
        self.url = url
        let file = url.appendingPathComponent("config.yaml")
        let existing = resuming ? try? String(contentsOf: file, encoding: .utf8) : nil
        if let existing, existing != configuration { throw Failure.differentConfiguration(path: file.path) }
        try OutputFolder.prepare(url, overwriting: existing != nil)
        // First of all files: a run killed at any later moment can be resumed.
        if existing == nil { try AtomicFile.write(Data(configuration.utf8), to: file) }
        checkpoints = CheckpointStore(folder: url.appendingPathComponent("checkpoints"))
        log = try JSONLinesLog(url.appendingPathComponent("metrics.jsonl"))
        events = try EventFileWriter(directory: url)
    }

    public var modelURL: URL { url.appendingPathComponent("model") }

    /// One line of `metrics.jsonl`; numbers also go to the event file under their names.
    public func record(step: Int, _ values: [String: JSONValue]) throws {
        try log.append(values.merging(["step": .int(step)]) { old, _ in old })
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            if let number = value.doubleValue { try events.scalar(name, number, step: step) }
        }
    }

    public func records() throws -> [JSONValue] { try log.entries() }

    /// Forgets what a killed run wrote after the checkpoint it is resumed from.
    public func rewind(to step: Int) throws {
        try log.truncate(afterStep: step)
        try checkpoints.discard(after: step)
    }

    /// Writes `samples/step-NNNNNN.png` and the same picture to the event file.
    public func writeSamples(_ image: Image, step: Int) throws {
        let folder = url.appendingPathComponent("samples")
        try OutputFolder.prepare(folder, overwriting: true)
        let name = String(repeating: "0", count: max(0, 6 - "\(step)".count)) + "\(step)"
        try PNG.write(image, to: folder.appendingPathComponent("step-\(name).png"))
        try events.image("samples", png: PNG.encode(image), step: step)
    }
}

import Configuration
import Files
import Foundation
import Imagery
import Reports
import WeightFiles

/// A run's folder: `run.json`, `config.yaml`, `metrics.jsonl`, event files, `samples/`, `checkpoints/`, and `model/` at
/// the end. One process at a time writes in it.
///
/// What was written after a checkpoint is taken back when a run goes on from it, so that all the folder holds at the
/// end is what the uninterrupted run would have written, apart from the times in event files.
public final class RunFolder {
    public let url: URL
    public let checkpoints: CheckpointStore
    private let log: JSONLinesLog
    private let lock: FolderLock
    private let identity: RunIdentity
    private let places: [String: String]
    private let flags: [String: String]
    /// What the folder's record said when it was opened; nil for a new run.
    private let began: RunRecord.Content?
    /// Whether the folder says what the run is now.
    private var isRecorded: Bool
    private var events: EventFileWriter?
    /// The first step that this process logs.
    private var firstStep: Int?

    public enum Failure: Error, CustomStringConvertible {
        /// Something is not as it was when the run began; a phrase for each such thing.
        case changed(path: String, differences: [String])
        /// `run.json` is missing from what looks like a run folder, or without this key.
        case badRecord(path: String, key: String?)
        /// The run began with another version of the program, by the `schema` of its record.
        case otherVersion(path: String, got: Int, expected: Int)
        case noWholeCheckpoint(path: String, reason: String)
        /// The run is done, so that more steps would have to start from a checkpoint that is gone.
        case cannotGrow(path: String, change: String)

        public var description: String {
            switch self {
            case .changed(let path, let differences):
                "\(path): the run there cannot be resumed, since not all is as it was when it began: "
                    + differences.prefix(4).joined(separator: "; ")
                    + (differences.count > 4 ? "; and \(differences.count - 4) more" : "")
            case .badRecord(let path, let key?):
                "\(path): not a run's record: '\(key)' is not usable; "
                    + "the run cannot be resumed, start another in a new folder"
            case .badRecord(let path, nil):
                "\(path): missing, so it cannot be told what the run began with; "
                    + "the run cannot be resumed, start another in a new folder"
            case .otherVersion(let path, let got, let expected):
                "\(path): 'schema' is \(got), expected \(expected): the run began with another version of diffprune, "
                    + "whose configuration has other keys; it cannot be resumed, start another in a new folder"
            case .noWholeCheckpoint(let path, let reason):
                "\(path): no checkpoint there is whole, so the run cannot be resumed: \(reason)"
            case .cannotGrow(let path, let change):
                "\(path): the run is done and its checkpoints are gone, so it cannot be made longer: \(change); "
                    + "keep_checkpoints: true keeps them, and finetune goes on from its model"
            }
        }
    }

    /// Opens a folder for a new run, or for going on with one that began with the same.
    ///
    /// - Parameters:
    ///   - growth: whether the resumed run may have more steps; `resume` then makes that the folder's record.
    ///   - places: where what the run works on lies, by name; those not named stay as they were noted.
    ///   - flags: what was asked for beside the configuration, by name; likewise.
    /// - Throws: `Failure`, `StorageError`; nothing is then changed.
    package init(
        _ url: URL, identity: RunIdentity, growth: RunIdentity.Growth, places: [String: String] = [:],
        flags: [String: String] = [:], resuming: Bool
    ) throws {
        self.url = url
        let record = RunRecord(folder: url)
        let configuration = url.appendingPathComponent("config.yaml")
        func check() throws -> RunRecord.Content? {
            let began = resuming ? try record.read() : nil
            if let began {
                let differences = identity.differences(from: began.identity, growth: growth)
                guard differences.isEmpty else { throw Failure.changed(path: url.path, differences: differences) }
                try Self.refuseLinks(url)
            } else if resuming, FileKind(at: configuration) != .nothing {
                throw Failure.badRecord(path: record.url.path, key: nil)
            }
            return began
        }
        lock = try OutputFolder.claim(url, overwriting: try check() != nil)
        // Once more: another process may have made the run, or made it longer, before the folder was this one's.
        let began = try check()
        self.identity = identity
        self.began = began
        self.places = (began?.places ?? [:]).merging(places) { $1 }
        self.flags = (began?.flags ?? [:]).merging(flags) { $1 }
        let hasConfiguration = FileKind(at: configuration) != .nothing
        isRecorded =
            began?.identity == identity && began?.places == self.places && began?.flags == self.flags
            && began?.finished == nil && hasConfiguration
        checkpoints = CheckpointStore(folder: url.appendingPathComponent("checkpoints"))
        log = JSONLinesLog(url.appendingPathComponent("metrics.jsonl"))
        guard began == nil else { return }
        // First of all files: a run killed at any later moment can be resumed.
        try record.write(content)
        try writeConfiguration()
        isRecorded = true
    }

    private var content: RunRecord.Content { RunRecord.Content(identity: identity, places: places, flags: flags) }

    /// A run is written into its own folder alone: what came with a link in its place would have what that leads to
    /// changed or deleted.
    private static func refuseLinks(_ folder: URL) throws {
        let written: Set<String> = ["run.json", "config.yaml", "metrics.jsonl", "samples", "checkpoints", "model"]
        for name in try FolderContents.names(folder) where written.contains(name) || name.hasPrefix(eventPrefix) {
            let item = folder.appendingPathComponent(name)
            if FileKind(at: item) == .link { throw StorageError.link(path: item.path) }
        }
    }

    private func writeConfiguration() throws {
        try AtomicFile.write(Data(identity.configuration.yaml.utf8), to: url.appendingPathComponent("config.yaml"))
    }

    public var modelURL: URL { url.appendingPathComponent("model") }

    // MARK: writing

    /// One line of `metrics.jsonl`; numbers also go to the event file under their names.
    public func record(step: Int, _ values: [String: JSONValue]) throws {
        try log.append(values.merging(["step": .int(step)]) { old, _ in old })
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            if let number = value.doubleValue { try eventWriter().scalar(name, number, step: step) }
        }
    }

    /// Writes `samples/step-NNNNNN.png` and the same picture to the event file.
    public func writeSamples(_ image: Image, step: Int) throws {
        try OutputFolder.prepare(samples, overwriting: true, followingLinks: false)
        let png = try PNG.encode(image)
        let file = samples.appendingPathComponent("step-\(FileNumber.text(step)).png")
        try AtomicFile.write(png, to: file, durably: false)
        try eventWriter().image("samples", png: png, step: step)
    }

    private var samples: URL { url.appendingPathComponent("samples") }

    private func eventWriter() throws -> EventFileWriter {
        if let events { return events }
        let writer = try EventFileWriter(directory: url, resumingAtStep: firstStep)
        events = writer
        return writer
    }

    // MARK: the end

    /// Whether nothing is left to do: the run was done, its model is there, and it is not to be longer now.
    ///
    /// - Throws: `LogMarkError` where the log lacks what it held at the end, `Failure.cannotGrow`.
    func isDone(warning: WarningHandler?) throws -> Bool {
        guard let began, let mark = began.finished else { return false }
        let growth = RunIdentity.Growth.refused(key: "", reason: "")
        if let change = identity.differences(from: began.identity, growth: growth).first {
            guard try !checkpoints.steps().isEmpty else { throw Failure.cannotGrow(path: url.path, change: change) }
            return false
        }
        guard FileKind(at: modelURL, followingLinks: true) == .folder else {
            if try checkpoints.steps().isEmpty {
                warning?("\(modelURL.path): the run was done, but its model is gone; it begins anew")
            }
            return false
        }
        try log.check(mark)
        return true
    }

    /// Notes that the run is done, with what its log holds.
    func recordEnd() throws {
        var content = content
        content.finished = try log.mark()
        try RunRecord(folder: url).write(content)
    }

    // MARK: checkpoints

    /// Saves a checkpoint together with what the logs hold at this moment.
    package func save(step: Int, tensors: [NamedTensor], state: [String: JSONValue]) throws {
        var events: [String: JSONValue] = [:]
        for file in try eventFiles() {
            events[file.lastPathComponent] = .int(try GrowingFile.settledSize(of: file))
        }
        let logs: JSONValue = ["metrics": try JSONValue(encoding: log.mark()), "events": .object(events)]
        try checkpoints.save(step: step, tensors: tensors, state: .object(state.merging(["logs": logs]) { $1 }))
    }

    /// Goes on from the newest checkpoint that is whole, or from the beginning where none was made yet: `restore` takes
    /// over its state, then all that was written after it is taken back.
    ///
    /// - Parameter warning: told of checkpoints passed over.
    /// - Throws: `Failure.noWholeCheckpoint`, `CheckpointError`, what `restore` throws, and `LogMarkError` where the
    ///   log lacks what was in it at the checkpoint, even if nothing more was to be done:
    ///   the folder is then as it was. `StorageError`.
    package func resume(warning: WarningHandler?, restore: (Checkpoint) throws -> Void) throws {
        let (checkpoint, skipped) = try checkpoints.latest()
        if checkpoint == nil, let reason = skipped.first {
            throw Failure.noWholeCheckpoint(path: checkpoints.folder.path, reason: "\(reason)")
        }
        for damaged in skipped { warning?("\(checkpoints.folder.path): \(damaged)") }
        let mark = try checkpoint.map(Self.logMark) ?? .empty
        try checkpoint.map(restore)
        try log.check(mark)
        if !isRecorded {
            // A kill in between leaves a longer configuration than the record's, which is legal.
            try writeConfiguration()
            try RunRecord(folder: url).write(content)
            isRecorded = true
        }
        try rewind(to: checkpoint, mark)
    }

    private static func logMark(of checkpoint: Checkpoint) throws -> LogMark {
        guard let mark = try? checkpoint.state["logs"]?["metrics"]?.decoded(as: LogMark.self), mark.bytes >= 0,
            checkpoint.state["logs"]?["events"]?.objectValue != nil
        else { throw CheckpointError.damaged(path: checkpoint.url.path, reason: "it does not say what was logged") }
        return mark
    }

    private func rewind(to checkpoint: Checkpoint?, _ mark: LogMark) throws {
        try log.cut(to: mark)
        // Event files repeat the log for TensorBoard: those that were deleted are not missed.
        for file in try eventFiles() {
            if let size = checkpoint?.state["logs"]?["events"]?[file.lastPathComponent]?.intValue, size >= 0 {
                try GrowingFile.cut(file, to: size)
            } else {
                try FileManager.default.removeItem(at: file)
            }
        }
        let step = checkpoint?.step ?? -1
        for name in FileKind(at: samples) == .nothing ? [] : try FolderContents.names(samples) {
            guard name.hasPrefix("step-"), name.hasSuffix(".png"), let made = Int(name.dropFirst(5).dropLast(4)),
                made > step
            else { continue }
            try FileManager.default.removeItem(at: samples.appendingPathComponent(name))
        }
        try checkpoints.discard(after: step)
        firstStep = step + 1
    }

    private func eventFiles() throws -> [URL] {
        try FolderContents.names(url).filter { $0.hasPrefix(Self.eventPrefix) }.map(url.appendingPathComponent)
    }

    private static let eventPrefix = "events.out.tfevents."
}

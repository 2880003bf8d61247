import Files
import Foundation

/// The numbered checkpoints of a run: `step-000123/` folders with `state.safetensors` and `state.json`.
///
/// A checkpoint appears whole or not at all, and the former ones are deleted only then: a kill at any moment leaves the
/// latest one readable.
public struct CheckpointStore: Sendable {
    /// The folder that holds the checkpoints, usually `checkpoints` in a run folder. Made by the first `save`.
    public let folder: URL
    /// How many checkpoints `save` leaves.
    public let keeping: Int

    /// - Parameters:
    ///   - folder: `checkpoints` of a run folder; made by the first `save`.
    ///   - keeping: at least 1.
    public init(folder: URL, keeping: Int = 2) {
        precondition(keeping >= 1, "a store keeps at least one checkpoint")
        self.folder = folder
        self.keeping = keeping
    }

    /// A checkpoint that `latest` could not use, and why.
    public struct Skipped: Sendable, CustomStringConvertible {
        public let step: Int
        public let reason: String

        public var description: String { "skipped the checkpoint of step \(step): \(reason)" }
    }

    /// Writes the checkpoint of `step`, replacing one of the same step, and deletes all but the newest up to `step`.
    ///
    /// Later checkpoints are left alone; a run that goes back in time says so with `discard(after:)`.
    /// - Parameters:
    ///   - step: the number of the checkpoint.
    ///   - tensors: arrays; 64-bit counters as I64.
    ///   - state: anything else; its integers are 64-bit signed, numbers finite.
    /// - Throws: `CheckpointError.invalidStep`, `SafetensorsError`, `StorageError`. The former checkpoints then remain.
    public func save(step: Int, tensors: [NamedTensor], state: JSONValue) throws {
        guard step >= 0 else { throw CheckpointError.invalidStep(step) }
        try OutputFolder.prepare(folder, overwriting: true, followingLinks: false)
        try AtomicFolder.write(to: url(of: step)) { partial in
            try Checkpoint.write(step: step, tensors: tensors, state: state, to: partial)
        }
        for old in try steps().filter({ $0 <= step }).dropLast(keeping) { try AtomicFolder.remove(url(of: old)) }
    }

    /// The newest checkpoint that is whole, nil where there is none, and the newer ones passed over on the way.
    /// - Throws: `StorageError` where the folder cannot be listed or cleared of what a killed run left.
    public func latest() throws -> (checkpoint: Checkpoint?, skipped: [Skipped]) {
        try recover()
        var skipped: [Skipped] = []
        for step in try steps().reversed() {
            do {
                return (try load(step: step), skipped)
            } catch {
                skipped.append(Skipped(step: step, reason: "\(error)"))
            }
        }
        return (nil, skipped)
    }

    /// The checkpoint of `step`.
    /// - Throws: `StorageError`, `SafetensorsError` or `CheckpointError` where it is not there or not whole.
    public func load(step: Int) throws -> Checkpoint {
        try Checkpoint(at: url(of: step), step: step)
    }

    /// The steps that have a checkpoint, whole or not, ascending.
    /// - Throws: `StorageError.unreadable`.
    public func steps() throws -> [Int] {
        try contents().compactMap { Self.step(ofFolder: $0) }.sorted()
    }

    /// Deletes the checkpoints later than `step`: those of a run that goes back to `step`.
    /// - Throws: `StorageError`.
    public func discard(after step: Int) throws {
        for later in try steps().reversed() where later > step { try AtomicFolder.remove(url(of: later)) }
    }

    /// Deletes every checkpoint, and the folder where nothing else is in it. A kill in between leaves whole ones, or
    /// hidden remains that the next call clears.
    /// - Throws: `StorageError`.
    public func removeAll() throws {
        try recover()
        for step in try steps() { try AtomicFolder.remove(url(of: step)) }
        rmdir(folder.path)
    }

    /// Clears up after a run that was killed while it replaced or deleted a checkpoint.
    private func recover() throws {
        var steps: Set<Int> = []
        for name in try contents() where name.hasPrefix(".") {
            if let step = Self.step(ofFolder: (name.dropFirst() as NSString).deletingPathExtension) {
                steps.insert(step)
            }
        }
        for step in steps.sorted() { try AtomicFolder.recover(url(of: step)) }
    }

    private func contents() throws -> [String] {
        try FileKind(reading: folder) == .nothing ? [] : FolderContents.names(folder)
    }

    package func url(of step: Int) -> URL { folder.appendingPathComponent(Self.name(of: step)) }

    private static func name(of step: Int) -> String { "step-" + FileNumber.text(step) }

    private static func step(ofFolder name: String) -> Int? {
        guard name.hasPrefix("step-"), let step = Int(name.dropFirst(5)), step >= 0, self.name(of: step) == name else {
            return nil
        }
        return step
    }
}

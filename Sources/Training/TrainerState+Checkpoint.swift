import Files
import WeightFiles

/// As a checkpoint holds it: arrays as tensors, the rest under `counts` and, where extensions have any, `extensions`.
extension TrainerState {
    private static let extensionsKey = "extensions"

    /// Whether a training has arrays of this name; others lie beside them in a checkpoint.
    private static func isName(_ name: String) -> Bool {
        name == "weights" || name == "ema" || name.hasPrefix("optimizer.") || name.hasPrefix("extension.")
    }

    /// - Parameter prefix: put before every name, for a state that is saved beside another.
    public func tensors(prefix: String = "") -> [NamedTensor] {
        arrays.map { NamedTensor(prefix + $0, shape: [$1.count], floats: $1) }
    }

    /// What is not arrays.
    public var members: [String: JSONValue] {
        var members: [String: JSONValue] = ["counts": .object(counts.mapValues { .int($0) })]
        if !values.isEmpty { members[Self.extensionsKey] = .object(values.mapValues { .object($0) }) }
        return members
    }

    /// Reads a state from `checkpoint`.
    ///
    /// - Parameters:
    ///   - checkpoint: where the tensors are.
    ///   - members: what `members` was; the checkpoint's whole state, or a part of it.
    ///   - prefix: as the tensors were written with.
    /// - Throws: `CheckpointError.damaged` for counts that cannot be; `SafetensorsError`, `StorageError`.
    public init(_ checkpoint: Checkpoint, members: JSONValue, prefix: String = "") throws {
        func damaged(_ reason: String) -> CheckpointError {
            .damaged(path: checkpoint.url.path, reason: reason)
        }
        self.init()
        for name in checkpoint.tensors.names where name.hasPrefix(prefix) {
            let array = String(name.dropFirst(prefix.count))
            if Self.isName(array) { arrays[array] = try checkpoint.tensors.floats(name) }
        }
        guard let counts = members["counts"]?.objectValue else { throw damaged("it holds no counts") }
        for (name, value) in counts {
            guard let count = value.intValue, (0...checkpoint.step).contains(count) else {
                throw damaged("it holds no count '\(name)'")
            }
            self.counts[name] = count
        }
        for (name, value) in members[Self.extensionsKey]?.objectValue ?? [:] {
            guard let value = value.objectValue else { throw damaged("it holds no state of '\(name)'") }
            values[name] = value
        }
    }
}

extension Trainer {
    /// Continues from a checkpoint made by a trainer of the same network, configuration and extensions.
    /// - Throws: `CheckpointError.damaged` for counts that cannot be; `OptimizerError`, `StorageError`,
    ///   and what extensions throw.
    public func restore(_ checkpoint: Checkpoint) throws {
        let state = try TrainerState(checkpoint, members: checkpoint.state)
        for name in Self.countNames where state.counts[name] == nil {
            throw CheckpointError.damaged(path: checkpoint.url.path, reason: "it holds no count '\(name)'")
        }
        guard state.counts["step"] == checkpoint.step else {
            throw CheckpointError.damaged(path: checkpoint.url.path, reason: "its trainer is at another step")
        }
        try restore(state)
    }
}

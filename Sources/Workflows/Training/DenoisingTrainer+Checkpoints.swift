import Foundation
import Storage

extension DenoisingTrainer {
    /// Saves everything that the next step depends on.
    ///
    /// - Parameter extra: what a workflow adds to the state.
    func save(to store: CheckpointStore, extra: [String: JSONValue]) throws {
        let tensors = stateArrays.map { NamedTensor($0.name, shape: [$0.values.count], floats: $0.values) }
        var state = extra
        state["counts"] = .object(stateCounts.mapValues { .int($0) })
        try store.save(step: step, tensors: tensors, state: .object(state))
    }

    /// Continues from a checkpoint that `save` made.
    func restore(_ checkpoint: Checkpoint) throws {
        var arrays: [String: [Float]] = [:]
        for name in checkpoint.tensors.names { arrays[name] = try checkpoint.tensors.floats(name) }
        let counts = checkpoint.state["counts"]?.objectValue ?? [:]
        try restore(arrays: arrays, counts: counts.compactMapValues(\.intValue))
    }
}

import Files
import Foundation
import WeightFiles

extension DenoisingTrainer {
    /// Everything that the next step depends on: arrays…
    var stateTensors: [NamedTensor] {
        stateArrays.map { NamedTensor($0.name, shape: [$0.values.count], floats: $0.values) }
    }

    /// … and step counts.
    func addCounts(to state: [String: JSONValue]) -> [String: JSONValue] {
        state.merging(["counts": .object(stateCounts.mapValues { .int($0) })]) { $1 }
    }

    /// Continues from a checkpoint of these two.
    /// - Throws: `CheckpointError.damaged` for counts that cannot be; `OptimizerError`, `StorageError`.
    func restore(_ checkpoint: Checkpoint) throws {
        var arrays: [String: [Float]] = [:]
        for name in checkpoint.tensors.names { arrays[name] = try checkpoint.tensors.floats(name) }
        var counts: [String: Int] = [:]
        for name in stateCounts.keys {
            guard let count = checkpoint.state["counts"]?[name]?.intValue, (0...checkpoint.step).contains(count) else {
                throw CheckpointError.damaged(path: checkpoint.url.path, reason: "it holds no count '\(name)'")
            }
            counts[name] = count
        }
        guard counts["step"] == checkpoint.step else {
            throw CheckpointError.damaged(path: checkpoint.url.path, reason: "its trainer is at another step")
        }
        try restore(arrays: arrays, counts: counts)
    }
}

import Pruning
import Training
import WeightFiles

/// A pruning run's part of a checkpoint: its place in the plan, masks, the method's state, and snapshots of training.
extension PruningRun {
    func state() throws -> RunState {
        let method = pruner.state
        var tensors = [NamedTensor("masks", shape: [masks.values.count], floats: masks.values)]
        tensors += method.arrays.sorted { $0.key < $1.key }.map {
            NamedTensor("method.\($0.key)", shape: [$0.value.count], floats: $0.value)
        }
        for (name, snapshot) in snapshots.sorted(by: { $0.key < $1.key }) {
            tensors += snapshot.tensors(prefix: "snapshot.\(name).")
        }
        return RunState(
            tensors: tensors,
            values: [
                "stage": .int(position.stage), "stage_start": .int(position.stageStart),
                "method": .object(method.values),
                "snapshots": .object(snapshots.mapValues { .object($0.members) }),
            ])
    }

    /// - Throws: `CheckpointError.damaged` for what is not of this run; what the method and training throw.
    func restore(_ checkpoint: Checkpoint) throws {
        func fail(_ reason: String) -> CheckpointError { .damaged(path: checkpoint.url.path, reason: reason) }
        guard let stage = checkpoint.state["stage"]?.intValue, let start = checkpoint.state["stage_start"]?.intValue,
            let values = checkpoint.state["method"]?.objectValue, checkpoint.tensors.contains("masks")
        else { throw fail("it is not of a pruning run") }
        guard (0...plan.stages.count).contains(stage), (0...checkpoint.step).contains(start) else {
            throw fail("it is at stage \(stage) of \(plan.stages.count)")
        }
        let saved = try checkpoint.tensors.floats("masks")
        guard saved.count == space.count, saved.allSatisfy({ (0...1).contains($0) }) else {
            throw fail("its masks are of another model")
        }
        var method = PrunerState(values: values)
        for name in checkpoint.tensors.names where name.hasPrefix("method.") {
            method.arrays[String(name.dropFirst("method.".count))] = try checkpoint.tensors.floats(name)
        }
        masks = Masks(space, saved)
        position = Position(stage: stage, stageStart: start)
        try pruner.restore(method, in: space)
        // What an earlier stage made of the network has to be there before its weights are put in.
        if plan.stages[..<stage].contains(.compact) { try compact() }
        for (name, members) in checkpoint.state["snapshots"]?.objectValue ?? [:] {
            snapshots[name] = try TrainerState(checkpoint, members: members, prefix: "snapshot.\(name).")
        }
        try training?.restore(checkpoint)
        context.evidence.weightsChanged()
    }
}

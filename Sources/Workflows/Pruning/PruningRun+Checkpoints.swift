import Pruning
import TensorCore
import Training
import WeightFiles

/// A pruning run's part of a checkpoint: its place in the plan, masks, the method's state, and snapshots of training.
extension PruningRun {
    /// All weights, where training goes on with the live part of the network.
    private static var wholeName: String { "whole" }

    func state() throws -> RunState {
        let method = pruner.state
        var tensors = [NamedTensor("masks", shape: [masks.values.count], floats: masks.values)]
        tensors += method.arrays.sorted { $0.key < $1.key }.map {
            NamedTensor("method.\($0.key)", shape: [$0.value.count], floats: $0.value)
        }
        if livePart != nil {
            // The training's own weights are those of the live part alone.
            let arena = context.evidence.arena
            tensors.append(NamedTensor(Self.wholeName, shape: [arena.count], floats: arena.values.array))
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
        if checkpoint.tensors.contains(Self.wholeName) {
            let (whole, arena) = (try checkpoint.tensors.floats(Self.wholeName), context.evidence.arena)
            guard whole.count == arena.count else { throw fail("its weights are of another model") }
            arena.values.assign(Tensor(whole, shape: [whole.count]))
            try shrinkToLivePart()
            guard livePart != nil else { throw fail("its masks leave the whole model, its weights do not") }
        }
        for (name, members) in checkpoint.state["snapshots"]?.objectValue ?? [:] {
            snapshots[name] = try TrainerState(checkpoint, members: members, prefix: "snapshot.\(name).")
        }
        try training?.restore(checkpoint)
        context.evidence.weightsChanged()
    }
}

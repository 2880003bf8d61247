import Files
import Pruning
import Reports
import Runs

/// Carrying out a plan.
extension PruningRun {
    /// Runs from wherever the run is to its end.
    func advance(in folder: RunFolder) throws {
        while position.stage < plan.stages.count { try advanceStage(in: folder) }
        try training?.finish(in: folder)
    }

    /// Carries out the rest of the stage that the run is in.
    func advanceStage(in folder: RunFolder) throws {
        let stage = plan.stages[position.stage]
        try carryOut(stage, in: folder)
        position = Position(stage: position.stage + 1, stageStart: training?.trainer.step ?? 0)
        // A stage of training saves itself as often as it is told to.
        if case .train = stage { return }
        try training?.save(in: folder, state: state())
    }

    private func carryOut(_ stage: PruningPlan.Stage, in folder: RunFolder) throws {
        switch stage {
        case .train(let steps): try train(steps: steps, in: folder)
        case .update(let number): try update(number, in: folder)
        case .snapshot(let name): snapshots[name] = training?.trainer.snapshot()
        case .rewind(let name): try rewind(to: name)
        case .reconstruct:
            try pruner.reconstruct(masks, in: context)
            context.evidence.weightsChanged()
        case .bake: bake()
        case .compact: try compact()
        }
    }

    private func train(steps: Int, in folder: RunFolder) throws {
        guard let training else { return }
        let isSoft = plan.stages[(position.stage + 1)...].contains { if case .update = $0 { true } else { false } }
        let until = position.stageStart + steps
        let phase = isSoft ? "soft pruning" : "fine-tuning"
        if network === dense {
            try masks.applied { try training.run(until: until, phase: phase, in: folder, state: state) }
        } else {
            try training.run(until: until, phase: phase, in: folder, state: state)
        }
        context.evidence.weightsChanged()
    }

    private func update(_ number: Int, in folder: RunFolder) throws {
        let report = try pruner.update(&masks, number: number, in: context)
        let entry = try JSONValue(encoding: MaskUpdateEntry(number: number + 1, report: report))
        try folder.record(step: training?.trainer.step ?? 0, entry.objectValue ?? [:])
        progress?(
            ProgressUpdate(
                phase: "mask update", completed: number + 1, total: plan.updates,
                detail:
                    "density \(NumberText.plain(report.density, decimals: 3)), "
                    + "undecided \(NumberText.plain(report.softness, decimals: 3))"))
    }

    /// Weights and schedule go back; masks and the steps counted stay.
    private func rewind(to name: String) throws {
        guard let training else { return }
        guard let snapshot = snapshots[name] else { preconditionFailure("the plan rewinds to no snapshot '\(name)'") }
        try training.trainer.rewind(to: snapshot, weights: true, schedule: true)
        context.evidence.weightsChanged()
    }

    /// Writes the masks into the weights, and into their moving average: zeros need no mask any more.
    private func bake() {
        guard let training else { return masks.bake(into: context.evidence.arena) }
        training.trainer.multiplyWeights(by: masks.flat(in: context.evidence.arena))
    }

    /// Removes the masked channels for good; fine-tuning goes on with what is left.
    func compact() throws {
        let compaction = try Compaction(dense, masks: masks)
        try training?.trainer.adopt(compaction.network) { compaction.gather($0, from: $1, to: $2) }
        network = compaction.network
        // Nothing is rewound to a network that no longer exists.
        snapshots = [:]
    }
}

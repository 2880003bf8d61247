import Files
import Pruning
import Runs

/// Carrying out a plan.
extension PruningRun {
    /// Runs from wherever the run is to its end.
    ///
    /// - Throws: `RunStopped` where that was asked for, with a checkpoint of all that was done; a mask update that is under
    ///   way is then made anew by whoever goes on.
    func advance(in folder: RunFolder) throws {
        while position.stage < plan.stages.count {
            let stage = plan.stages[position.stage]
            if stage.takesLosses, updatesTakeLosses || interruption.isRequested, let training,
                training.hasUnsavedSteps
            {
                try training.save(in: folder, state: state())
            }
            do {
                if stage.takesLosses { try interruption.check() }
                try carryOut(stage, in: folder)
            } catch is Interruption.Requested {
                throw RunStopped(reached: reached)
            }
            position = Position(stage: position.stage + 1, stageStart: training?.trainer.step ?? 0)
            // A stage of training saves itself as often as it is told to.
            if case .train = stage { continue }
            try training?.save(in: folder, state: state())
        }
        try training?.finish(in: folder)
    }

    /// "mask update 2 of 8, step 60 of 1000"
    private var reached: String {
        let done = plan.stages[..<position.stage].count { if case .update = $0 { true } else { false } }
        let update = "mask update \(min(done + 1, plan.updates)) of \(plan.updates)"
        return training.map { $0.totalSteps > 0 ? "\(update), \($0.reached)" : update } ?? update
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
        guard case .object(var entry) = try JSONValue(encoding: report) else { return }
        entry["update"] = .int(number + 1)
        try folder.record(step: training?.trainer.step ?? 0, entry)
        progress?(
            ProgressUpdate(
                phase: "mask update", completed: number + 1, total: plan.updates,
                detail:
                    "density \(report.density.formatted(digits: 3)), undecided \(report.softness.formatted(digits: 3))")
        )
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
        // Nothing goes back to a network that is gone.
        snapshots = [:]
    }
}

extension PruningPlan.Stage {
    /// Whether it may read losses, which whoever asks the run to stop does not wait for.
    fileprivate var takesLosses: Bool {
        switch self {
        case .update, .reconstruct: true
        case .train, .snapshot, .rewind, .bake, .compact: false
        }
    }
}

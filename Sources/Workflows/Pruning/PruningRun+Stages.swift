import Files
import Pruning
import Runs
import TensorCore

/// Carrying out a plan.
extension PruningRun {
    /// Runs from wherever the run is to its end.
    func advance(in folder: RunFolder) throws {
        while position.stage < plan.stages.count {
            let stage = plan.stages[position.stage]
            try carryOut(stage, in: folder)
            position = Position(stage: position.stage + 1, stageStart: training?.trainer.step ?? 0)
            // A stage of training saves itself as often as it is told to.
            if case .train = stage { continue }
            try training?.save(in: folder, state: state())
        }
        try training?.finish(in: folder)
    }

    private func carryOut(_ stage: PruningPlan.Stage, in folder: RunFolder) throws {
        switch stage {
        case .train(let steps): try train(steps: steps, in: folder)
        case .update(let number): try update(number, in: folder)
        case .bake: try bake()
        case .compact: try compact()
        case .reconstruct:
            try pruner.reconstruct(masks, in: context)
            context.evidence.weightsChanged()
        case .snapshot, .rewind:
            preconditionFailure("no method plans this")
        }
    }

    private func train(steps: Int, in folder: RunFolder) throws {
        guard let training else { return }
        let isSoft = plan.stages[(position.stage + 1)...].contains { if case .update = $0 { true } else { false } }
        let until = position.stageStart + steps
        let phase = isSoft ? "soft pruning" : "fine-tuning"
        if model === dense {
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

    /// Writes the masks into the weights. They stay on nothing: zeros need no mask.
    private func bake() throws {
        let arena = context.evidence.arena
        let flat = Tensor(ones: [arena.count])
        for (site, range) in zip(space.sites, space.ranges) {
            guard case .weight(_, let index) = site else { continue }
            arena.slice(flat, index).assign(Tensor(Array(masks.values[range]), shape: [range.count]))
        }
        if let training {
            training.trainer.multiplyWeights(by: flat)
        } else {
            for index in 0..<flat.count { arena.values.pointer[index] *= flat.pointer[index] }
        }
    }

    /// Removes the masked channels for good; fine-tuning goes on with what is left.
    func compact() throws {
        let compaction = try Compaction(dense, masks: masks)
        try training?.trainer.adopt(compaction)
        model = compaction.network
    }
}

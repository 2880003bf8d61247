import Files
import Pruning
import PruningMethods
import Reports
import Runs

/// Carrying out a plan.
extension PruningRun {
    /// Runs from wherever the run is to its end.
    ///
    /// - Throws: `RunStopped` where that was asked for, with a checkpoint of all that was done; a mask update that is
    ///   under way is then made anew by whoever goes on.
    func advance(in folder: RunFolder) throws {
        let report = planReport()
        do {
            try makeSupply(report)
        } catch is Interruption.Requested {
            throw RunStopped(reached: reached)
        }
        try tryStep(report)
        while position.stage < plan.stages.count { try advanceStage(in: folder, report) }
        try training?.finish(in: folder)
    }

    /// Carries out the rest of the stage that the run is in.
    ///
    /// - Parameter report: of the whole plan; nil for one from where the run is.
    func advanceStage(in folder: RunFolder, _ report: PlanReport? = nil) throws {
        let report = report ?? planReport()
        let stage = plan.stages[position.stage]
        let takesLosses = report.stretches.losses[position.stage] != nil
        if takesLosses || interruption.isRequested, let training, training.hasUnsavedSteps || hasUnsavedUpdates {
            try training.save(in: folder, state: state())
            hasUnsavedUpdates = false
        }
        do {
            if stage.isWork { try interruption.check() }
            try makeSupply(report)
            try carryOut(stage, in: folder, report.reporter, report.stretches)
        } catch is Interruption.Requested {
            throw RunStopped(reached: reached)
        }
        position = Position(stage: position.stage + 1, stageStart: training?.trainer.step ?? 0)
        // A stage of training saves itself as often as it is told to.
        if case .train = stage { return }
        // Updates in a row that take no losses are soon made again: they are saved with the last, or when it is time.
        hasUnsavedUpdates = !takesLosses && isFollowed(stage) && training?.isCheckpointDue == false
        if !hasUnsavedUpdates { try training?.save(in: folder, state: state()) }
    }

    /// Makes what the next losses and steps are taken from, unless it is there.
    private func makeSupply(_ report: PlanReport) throws {
        guard let training else { return }
        let step = training.trainer.step
        try training.makeSupply(
            for: step..<min(step + 1, training.totalSteps), calibrates: calibrates, report.reporter,
            report.stretches.supply)
    }

    /// Whether `stage`, which is done, is a mask update and the next one too.
    private func isFollowed(_ stage: PruningPlan.Stage) -> Bool {
        guard case .update = stage, position.stage < plan.stages.count, case .update = plan.stages[position.stage]
        else { return false }
        return true
    }

    /// "mask update 2 of 8, step 60 of 1000"
    private var reached: String {
        let done = plan.stages[..<position.stage].count { if case .update = $0 { true } else { false } }
        let update = "mask update \(min(done + 1, plan.updates)) of \(plan.updates)"
        return training.map { $0.totalSteps > 0 ? "\(update), \($0.reached)" : update } ?? update
    }

    private func carryOut(
        _ stage: PruningPlan.Stage, in folder: RunFolder, _ reporter: ProgressReporter, _ stretches: PlanStretches
    ) throws {
        let number = position.stage
        switch stage {
        case .train(let steps):
            guard let stretch = stretches.steps[number] else { return }
            try train(steps: steps, in: folder, reporter, stretch, stretches)
        case .update(let update):
            let place = "mask update \(update + 1) of \(plan.updates)"
            let report = try watching(stretches.losses[number], reporter, phase: "scoring", place: place) {
                try pruner.update(&masks, number: update, in: context)
            }
            try record(report, of: update, in: folder, reporter)
        case .snapshot(let name):
            // Weights, averages and moments are as large as the model several times over.
            snapshots[name] =
                plan.rewindsWeights(to: name) ? training?.trainer.snapshot() : training?.trainer.schedule
        case .rewind(let name, let weights):
            reporter.at(ProgressUpdate(phase: "taking the \(weights ? "weights" : "schedule") back to '\(name)'"))
            try rewind(to: name, weights: weights)
        case .reconstruct:
            reporter.at(ProgressUpdate(phase: "reconstructing"))
            try watching(stretches.losses[number], reporter, phase: "reconstructing", place: "") {
                if let repair = configuration.recovery.reconstruction.repair {
                    try repair.init(seed: UInt64(configuration.pruning.seed)).apply(masks, in: context)
                } else {
                    try pruner.reconstruct(masks, in: context)
                }
            }
            context.evidence.weightsChanged()
            training?.trainer.restartAverage()
        case .bake:
            bake()
            try estimateStatistics(reporter)
        case .compact:
            reporter.at(ProgressUpdate(phase: "removing channels"))
            try compact()
            try estimateStatistics(reporter)
        }
    }

    /// Takes the running moments of batch normalisations anew, which what left may have made wrong.
    private func estimateStatistics(_ reporter: ProgressReporter) throws {
        guard network.hasStatistics, let training else { return }
        reporter.at(ProgressUpdate(phase: "estimating running moments"))
        try training.trainer.estimateStatistics()
        context.evidence.weightsChanged()
    }

    /// Runs `body`, which may take losses, and tells of them.
    func watching<Result>(
        _ stretches: (first: Int, later: Int, passLength: Int)?, _ reporter: ProgressReporter, phase: String,
        place: String, limit: Int? = nil, _ body: () throws -> Result
    ) throws -> Result {
        guard let stretches else { return try body() }
        return try losses.watching(
            LossWatch.Stage(
                reporter: reporter, phase: phase, place: place, first: stretches.first, later: stretches.later,
                passLength: stretches.passLength, limit: limit), body)
    }

    private func train(
        steps: Int, in folder: RunFolder, _ reporter: ProgressReporter, _ stretch: Int, _ stretches: PlanStretches
    ) throws {
        guard let training else { return }
        let isSoft = plan.stages[(position.stage + 1)...].contains { if case .update = $0 { true } else { false } }
        let until = position.stageStart + steps
        let news = TrainingLoop<Task>.Report(
            reporter: reporter, phase: isSoft ? "soft pruning" : "fine-tuning", steps: stretch,
            grids: stretches.grids, supply: stretches.supply)
        if network === dense {
            try trained(moving: isSoft && pruner.movesWithSteps) {
                try training.run(until: until, in: folder, news, state: state)
            }
        } else {
            try training.run(until: until, in: folder, news, state: state)
        }
        reporter.leave(stretch)
        context.evidence.weightsChanged()
    }

    private func record(
        _ report: MaskUpdateReport, of number: Int, in folder: RunFolder, _ reporter: ProgressReporter
    ) throws {
        let entry = try JSONValue(encoding: MaskUpdateEntry(number: number + 1, report: report))
        try folder.record(step: training?.trainer.step ?? 0, entry.objectValue ?? [:])
        reporter.at(
            ProgressUpdate(
                phase: "mask update", completed: number + 1, total: plan.updates,
                detail:
                    "\(quantityName) left \(NumberText.plain(report.density, decimals: 3)), "
                    + "undecided masks \(NumberText.plain(report.softness, decimals: 3))"))
    }

    /// The schedule goes back, and with it the weights; masks and the steps counted stay.
    private func rewind(to name: String, weights: Bool) throws {
        guard let training else { return }
        guard let snapshot = snapshots[name] else { preconditionFailure("the plan rewinds to no snapshot '\(name)'") }
        try training.trainer.rewind(to: snapshot, weights: weights, schedule: true)
        context.evidence.weightsChanged()
    }

    /// Writes the masks into the weights, and into their moving average: zeros need no mask any more.
    private func bake() {
        guard let training else { return masks.bake(into: context.evidence.arena) }
        training.trainer.multiplyWeights(by: masks.flat(in: context.evidence.arena))
    }

    /// Removes the masked channels for good; fine-tuning goes on with what is left.
    func compact() throws {
        let compaction = try Compaction(
            dense, masks: masks, becomesPlain: configuration.pruning.granularity == .level)
        try training?.trainer.adopt(compaction.network, weights: { try compaction.weights($0, from: $1, to: $2) }) {
            compaction.gather($0, from: $1, to: $2)
        }
        network = compaction.network
        // Nothing is rewound to a network that no longer exists.
        snapshots = [:]
    }
}

extension PruningPlan.Stage {
    /// Whether it may take long: whoever asks the run to stop does not wait for it.
    fileprivate var isWork: Bool {
        switch self {
        case .update, .reconstruct, .train: true
        case .snapshot, .rewind, .bake, .compact: false
        }
    }
}

import Pruning
import Runs

/// A plan's stages as stretches of a timetable.
struct PlanStretches {
    /// By stage: the first pass over the calibration batches, all later ones, and how long the first is.
    var losses: [Int: (first: Int, later: Int, passLength: Int)] = [:]
    /// By stage.
    var steps: [Int: Int] = [:]
    /// Of all sample grids; nil for none.
    var grids: Int?
    /// Of what batches are made of; nil where nothing is to be made.
    var supply: Int?
}

/// Whom a plan's stages tell of their progress, and by which stretches.
struct PlanReport {
    let reporter: ProgressReporter
    let stretches: PlanStretches
}

extension PruningRun {
    static var lossKind: String { "loss" }
    static var stepKind: String { "step" }
    /// A step of what is left after channels were removed.
    static var compactStepKind: String { "compact step" }

    /// What is to come from where the run is, with what it is expected to take in predictions for one picture.
    ///
    /// - Parameter source: by which losses are counted; nil for the run's own.
    func timetable(counting source: (any CalibrationSource)? = nil) -> (timetable: Timetable, stretches: PlanStretches)
    {
        let source = source ?? calibration
        var (timetable, stretches) = (Timetable(), PlanStretches())
        let cost = PruningCost(configuration, remaining: costRemaining)
        var isCompact = network !== dense
        if let supply = training?.supplyStretch(calibrates: calibrates) { stretches.supply = timetable.append(supply) }
        for (index, stage) in plan.stages.enumerated() where index >= position.stage {
            switch stage {
            case .update, .reconstruct:
                let noun = stage == .reconstruct ? "reconstruction" : "mask update"
                let total = source.map { lossCount(of: stage, from: $0) } ?? 0
                guard total > 0 else { continue }
                let passLength = min(total, source?.batchCount ?? total)
                let first = timetable.append(
                    .init(Self.lossKind, pieces: passLength, weight: cost.loss, noun: noun, count: 1))
                let later = timetable.append(
                    .init("later loss", pieces: total - passLength, weight: cost.laterLoss, noun: noun, count: 0))
                stretches.losses[index] = (first, later, passLength)
            case .train(let steps):
                let start = index == position.stage ? position.stageStart : nil
                let done = start.map { max(0, (training?.trainer.step ?? 0) - $0) } ?? 0
                let kind = isCompact ? Self.compactStepKind : Self.stepKind
                stretches.steps[index] = timetable.append(
                    .init(
                        kind, pieces: max(0, steps - done), weight: cost.step(isCompact: isCompact), noun: "step"))
            case .compact: isCompact = true
            case .snapshot, .rewind, .bake: continue
            }
        }
        if let grids = training?.gridStretch(weight: cost.grid(isCompact: true)) {
            stretches.grids = timetable.append(grids)
        }
        for stretch in following { timetable.append(stretch) }
        return (timetable, stretches)
    }

    /// Whether losses are still to be taken.
    var calibrates: Bool {
        guard let calibration else { return false }
        return plan.stages[position.stage...].contains { stage in
            switch stage {
            case .update, .reconstruct: lossCount(of: stage, from: calibration) > 0
            case .train, .snapshot, .rewind, .bake, .compact: false
            }
        }
    }

    /// How many losses a stage takes, at most.
    private func lossCount(of stage: PruningPlan.Stage, from source: any CalibrationSource) -> Int {
        if stage == .reconstruct, let repair = configuration.recovery.reconstruction.repair {
            return repair.lossCount(from: source, in: space)
        }
        return pruner.lossCount(of: stage, from: source, in: space)
    }

    /// The share of a prediction's work that is expected to be left at the end.
    private var costRemaining: Double {
        guard space.kind == .channels else { return 1 }
        let limits = context.selection.budget.limits
        return (limits.first { $0.quantity == .macs } ?? limits[0]).remaining
    }

    /// Tells of the plan from where the run is.
    func planReport() -> PlanReport {
        let (timetable, stretches) = timetable()
        let kinds = Set(timetable.stretches.filter { $0.pieces > 0 }.map(\.kind))
        return PlanReport(
            reporter: ProgressReporter(
                progress, timetable, stated: kinds.intersection([Self.lossKind, Self.stepKind])),
            stretches: stretches)
    }

    /// Steps are tried out where they come after mask updates, which take long: how long all takes is known early.
    func tryStep(_ report: PlanReport) throws {
        let reporter = report.reporter
        guard reporter.isHeard, let training, training.totalSteps > training.trainer.step,
            reporter.timetable.stretches.first(where: { $0.pieces > 0 })?.kind == Self.lossKind
        else { return }
        reporter.at(ProgressUpdate(phase: "trying out a step"))
        let kind = network === dense ? Self.stepKind : Self.compactStepKind
        let start = ProgressReporter.seconds()
        try reporter.tried(kind, training.trainer.rehearse)
        // The first of all warms up, which no longer shows where steps take long.
        if ProgressReporter.seconds() - start < 3, !interruption.isRequested {
            try reporter.tried(kind, training.trainer.rehearse)
        }
    }
}

/// What parts of a pruning run are expected to take, in predictions for one picture, before they are measured.
struct PruningCost<Model: TrainableModel> {
    private let configuration: PruningRunSettings<Model>
    private let remaining: Double

    /// - Parameter remaining: of a prediction's work, what is expected to be left at the end.
    init(_ configuration: PruningRunSettings<Model>, remaining: Double) {
        self.configuration = configuration
        self.remaining = remaining
    }

    /// A gradient takes about three predictions.
    private static var gradient: Double { 3 }

    func step(isCompact: Bool) -> Double {
        let cost = configuration.recovery.stepCost
        return Double(configuration.finetuning.batchSize) * cost.own
            * (Self.gradient * (isCompact ? remaining : 1) + cost.teacher)
    }

    var loss: Double { Double(configuration.pruning.calibrationBatchSize) * Self.gradient }

    /// Later passes mostly take derivatives of gradients.
    var laterLoss: Double { 2.5 * loss }

    func grid(isCompact: Bool) -> Double { isCompact ? remaining : 1 }
}

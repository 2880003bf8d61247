import Files
import Layers
import ModelFolders
import Pruning
import PruningMethods
import Runs
import Training

/// What a run's configuration asks for, before there is anything to train: the method, its plan and what it masks.
struct PlannedPruning {
    let entry: MethodEntry
    let pruner: any Pruner
    let plan: PruningPlan
    let granularity: Granularity
    /// Held against the network, where that says something of it.
    let budget: Budget
    let timing: PlanTiming
    /// What stays of each site; nil where scores or one share for all say it.
    let ratios: SiteRatios?
    /// What the weights are stored as.
    let weightTypes: WeightTypes

    /// - Parameters:
    ///   - configuration: what defines the run.
    ///   - network: what is pruned.
    ///   - weightTypes: what its weights are stored as.
    /// - Throws: `SettingError`, `BudgetError`, and what the method says to its settings.
    init<Model>(
        _ configuration: PruningRunSettings<Model>, of network: any ChannelNetwork, storedAs weightTypes: WeightTypes
    ) throws {
        self.weightTypes = weightTypes
        entry = try MethodCatalog.entry(named: configuration.method)
        let (settings, steps) = (configuration.pruning, configuration.finetuning.steps)
        guard !entry.card.needsTraining || steps > 0 else {
            throw SettingError(
                key: "finetuning.steps", got: steps,
                expected: "at least 1: '\(configuration.method)' learns its masks by fine-tuning")
        }
        granularity = try settings.unit()
        ratios = try settings.ratios?.siteRatios()
        budget = try Self.budget(of: network, granularity, entry.card, ratios, weightTypes, settings)
        timing = PlanTiming(
            steps: steps, softFraction: settings.softFraction, space: granularity.space, remaining: budget.remaining)
        pruner = try entry.make(configuration.methodSettings, UInt64(settings.seed))
        let own = pruner.plan(timing)
        if settings.rewindLearningRate { try Self.checkRewinding(own, configuration) }
        plan = own.adapted(to: configuration)
    }

    /// Refuses to begin the schedule of learning rates anew where that cannot be, or would change nothing.
    private static func checkRewinding<Model>(
        _ plan: PruningPlan, _ configuration: PruningRunSettings<Model>
    ) throws {
        func refuse(_ expected: String) -> SettingError {
            SettingError(key: "pruning.rewind_learning_rate", got: true, expected: "false \(expected)")
        }
        guard !plan.rewinds else {
            throw refuse("with '\(configuration.method)', which rewinds itself (method.rewind)")
        }
        guard let last = plan.lastUpdate, plan.stages[last...].contains(where: \.trains) else {
            throw refuse("where nothing is fine-tuned after the last mask update")
        }
        guard !configuration.finetuning.learningRateSchedule.isFlat else {
            throw refuse(
                "with a constant learning rate, or another finetuning.learning_rate_schedule: "
                    + "it is at its peak all the time")
        }
    }

    /// What evidence the run takes.
    func needs(_ recovery: some RecoverySection) -> [any EvidenceKind.Type] {
        entry.needs + (recovery.reconstruction.repair?.needs ?? [])
    }

    /// What chooses within the budget.
    ///
    /// - Throws: `BudgetError` where that cannot be met; what the granularity says to the network.
    func selection(
        in space: PruningSpace, of network: any ChannelNetwork, _ settings: PruningConfiguration
    ) throws -> Selection {
        let selection = try Self.selection(
            within: budget, granularity, entry.card, in: space, of: network, ratios, weightTypes, settings)
        try selection.checkReachable()
        return selection
    }

    /// What is asked for, as far as that can be said without the network; else held against it.
    private static func budget(
        of network: any ChannelNetwork, _ granularity: Granularity, _ card: MethodCard, _ ratios: SiteRatios?,
        _ weightTypes: WeightTypes, _ settings: PruningConfiguration
    ) throws -> Budget {
        let asked = try settings.budget()
        if let asked, !asked.needsModel(in: granularity.space) { return asked }
        // Without a target the ratios say what is left: of the usual quantity.
        let quantity: Budget.Quantity = granularity.space == .channels ? .macs : .sparsity
        let selection = try selection(
            within: asked ?? Budget(quantity, 0.5), granularity, card, in: .of(granularity.space, in: network),
            of: network, ratios, weightTypes, settings)
        if asked != nil { return selection.budget }
        let share = try selection.shareLeftByRatios()
        return try Budget(quantity, quantity == .sparsity ? 1 - share : share)
    }

    private static func selection(
        within budget: Budget, _ granularity: Granularity, _ card: MethodCard, in space: PruningSpace,
        of network: any ChannelNetwork, _ ratios: SiteRatios?, _ weightTypes: WeightTypes,
        _ settings: PruningConfiguration
    ) throws -> Selection {
        try Selection(
            space: space, network: network, budget: budget, granularity: granularity,
            minimumFraction: settings.minimumFraction,
            allocation: settings.allocation ?? card.allocation(for: granularity.name),
            layerExponent: settings.layerExponent, comparesRows: card.comparesRows, ratios: ratios,
            storedAs: StoredWeights(network.parameters, as: weightTypes))
    }
}

extension PruningPlan {
    /// The method's own plan with what the settings add to that of any method.
    func adapted<Model>(to configuration: PruningRunSettings<Model>) -> PruningPlan {
        let repaired = repaired(configuration.recovery.reconstruction)
        return configuration.pruning.rewindLearningRate ? repaired.rewindingLearningRate : repaired
    }

    /// The same with a repair right after the last update.
    private func repaired(_ reconstruction: Reconstruction) -> PruningPlan {
        guard reconstruction != .none, !stages.contains(.reconstruct), let last = lastUpdate else { return self }
        return PruningPlan(stages[...last] + [.reconstruct] + stages[(last + 1)...])
    }
}

/// A pruning run put together: the network with its masks and its method, and what trains it. `advance` carries out the
/// method's plan.
final class PruningRun<Model: TrainableModel> {
    typealias Task = Model.Task

    let configuration: PruningRunSettings<Model>
    let dense: Task.Network
    let space: PruningSpace
    let context: PruningContext
    let plan: PruningPlan
    /// nil when there is neither data nor need of any.
    let training: TrainingLoop<Task>?
    let progress: ProgressHandler?
    let interruption: Interruption
    /// Where evidence is taken from; nil where there is no data.
    let calibration: TaskCalibration<Task>?
    let losses: LossWatch
    /// What the weights are stored as.
    let weightTypes: WeightTypes
    /// Work that comes after the run, for the time left.
    let following: [Timetable.Stretch]
    var pruner: any Pruner
    var masks: Masks
    /// How far the plan has been carried out.
    var position = Position()
    /// Whether mask updates were made that no checkpoint holds.
    var hasUnsavedUpdates = false
    /// What is left so far.
    var network: Task.Network
    /// What is trained in its place during soft pruning; nil where that is all of it.
    var livePart: LivePart?
    /// States of training that later stages go back to.
    var snapshots: [String: TrainerState] = [:]

    /// A place in a plan.
    struct Position: Equatable {
        /// Stages done.
        var stage = 0
        /// The trainer's step at which the stage that is under way began.
        var stageStart = 0
    }

    /// - Parameters:
    ///   - training: of `network`; nil where nothing is trained.
    ///   - calibration: where evidence is taken from; nil where there is no data.
    init(
        _ configuration: PruningRunSettings<Model>, _ planned: PlannedPruning, network: Task.Network,
        training: TrainingLoop<Task>?, calibration: TaskCalibration<Task>?, in runContext: RunContext
    ) throws {
        self.configuration = configuration
        progress = runContext.progress
        interruption = runContext.interruption
        following = runContext.following
        self.calibration = calibration
        let losses = LossWatch(interruption: runContext.interruption)
        self.losses = losses
        self.training = training
        self.network = network
        dense = network
        pruner = planned.pruner
        plan = planned.plan
        weightTypes = planned.weightTypes
        space = PruningSpace.of(planned.granularity.space, in: network)
        masks = Masks(space)
        context = PruningContext(
            space: space,
            evidence: EvidenceSource(
                network: network, arena: training?.trainer.arena ?? ParameterArena(network.parameters),
                calibration: calibration.map { source in
                    ObservedCalibration(source) { try losses.take($0, of: source) }
                },
                declared: planned.needs(configuration.recovery)),
            selection: try planned.selection(in: space, of: network, configuration.pruning),
            timing: planned.timing)
        try context.evidence.require(planned.needs(configuration.recovery))
        training?.trainer.setExtensions(pruner.extensions(in: context))
    }

    /// Whether the run may be made longer: where more steps would only prolong its last stage.
    var growth: RunIdentity.Growth {
        let steps = configuration.finetuning.training.growth(section: "finetuning")
        let longer = pruner.plan(
            PlanTiming(
                steps: configuration.finetuning.steps + 1, softFraction: configuration.pruning.softFraction,
                space: space.kind, remaining: context.remaining)
        ).adapted(to: configuration)
        guard case .train? = plan.stages.last, longer.stages.dropLast() == plan.stages.dropLast() else {
            return .refused(key: steps.key, reason: "it cannot grow, since the method's plan depends on it")
        }
        return steps
    }

    func withResultWeights<Result>(_ body: () throws -> Result) rethrows -> Result {
        guard let training, configuration.finetuning.steps > 0 else { return try body() }
        return try training.trainer.withResultWeights(body)
    }
}

import Layers
import TensorCore

/// Trains or fine-tunes a network: a pure function of its state and the step, so that it can be stopped anywhere.
public final class Trainer<Task: LearningTask> {
    public let task: Task
    public let batches: any BatchSource<Task.Batch>
    public let configuration: TrainingConfiguration
    /// What is imitated, where the task does so.
    public let teacher: Task.Network?
    public private(set) var network: Task.Network
    /// The network's parameters.
    public private(set) var arena: ParameterArena
    public private(set) var extensions: [any TrainingExtension]
    /// Updates made so far. Batches, dropout and extensions depend on it.
    public private(set) var step = 0
    /// The step that learning rates are taken at: `step`, unless the schedule was rewound.
    public private(set) var schedulePosition = 0
    private var optimizer: Optimizer
    private var average: ExponentialMovingAverage?
    private var groups: [OptimizedGroup]

    /// - Parameters:
    ///   - task: the loss.
    ///   - network: what is trained, in place.
    ///   - batches: what it learns from.
    ///   - configuration: steps, optimiser, learning rate, moving average.
    ///   - teacher: another network, whose weights stay.
    ///   - extensions: called in this order.
    /// - Throws: `TrainingError.noGradientCheckpointing` where the configuration asks for what the network lacks.
    public init(
        _ task: Task, network: Task.Network, batches: any BatchSource<Task.Batch>, configuration: TrainingConfiguration,
        teacher: Task.Network? = nil, extensions: [any TrainingExtension] = []
    ) throws {
        self.task = task
        self.network = network
        self.batches = batches
        self.configuration = configuration
        self.teacher = teacher
        self.extensions = extensions
        if let network = network as? any BlockCheckpointing {
            network.usesGradientCheckpointing = configuration.gradientCheckpointing
        } else if configuration.gradientCheckpointing {
            throw TrainingError.noGradientCheckpointing(network: "\(Task.Network.self)")
        }
        arena = ParameterArena(network.parameters)
        optimizer = Optimizer(configuration.optimizer, arena: arena)
        average = configuration.ema > 0 ? ExponentialMovingAverage(decay: configuration.ema, arena: arena) : nil
        groups = OptimizedGroup.all(of: extensions)
    }

    /// One update of the weights: see `TrainingExtension` for the order in which extensions are called.
    ///
    /// - Throws: `TrainingError.notFinite`, what the task and extensions throw.
    @discardableResult
    public func advance() throws -> TrainingStepReport {
        for each in extensions { try each.prepare(step: step) }
        arena.clearGradients()
        for group in groups { group.optimizer.arena.clearGradients() }
        let terms = try task.terms(
            of: network, on: batches.batch(step: step), teacher: teacher,
            dropout: DropoutMask(seed: UInt64(configuration.seed), step: UInt64(step)))
        let penalty = penalty()
        let (value, added) = (terms.total.value.scalar, penalty?.value.scalar ?? 0)
        guard value.isFinite, added.isFinite else { throw TrainingError.notFinite(step: step, loss: value + added) }
        (penalty.map { terms.total + $0 } ?? terms.total).backward()
        arena.completeGradients()
        for group in groups { group.optimizer.arena.completeGradients() }
        for each in extensions { each.afterBackward(step: step, optimizer: optimizer) }

        let norm = arena.gradientNorm
        guard norm.isFinite, groups.allSatisfy({ $0.optimizer.arena.gradients.allFinite }) else {
            throw TrainingError.notFinite(step: step, loss: value)
        }
        let rate = configuration.learningRate * factor(configuration.learningRateSchedule)
        let clip = configuration.gradientClip > 0 ? configuration.gradientClip : nil
        optimizer.update(learningRate: rate, gradientScale: Optimizer.clippingScale(norm: norm, maximum: clip))
        for group in groups {
            let own = group.group
            group.optimizer.update(learningRate: own.learningRate * factor(own.schedule) * own.factor(step))
        }
        for each in extensions { each.afterUpdate(step: step, optimizer: optimizer) }
        average?.update(arena)
        step += 1
        schedulePosition += 1
        return TrainingStepReport(
            step: step, loss: Double(terms.loss), terms: terms.others.mapValues(Double.init),
            penalty: penalty.map { _ in Double(added) }, gradientNorm: norm, learningRate: rate)
    }

    /// The loss of the next step and its gradients, and nothing more: what a step costs, with no bit of the training
    /// changed.
    ///
    /// - Throws: as `advance`.
    public func rehearse() throws {
        let statistics = arena.statistics
        defer { arena.statistics = statistics }
        for each in extensions { try each.prepare(step: step) }
        arena.clearGradients()
        for group in groups { group.optimizer.arena.clearGradients() }
        let loss = try task.loss(
            of: network, on: batches.batch(step: step), teacher: teacher,
            dropout: DropoutMask(seed: UInt64(configuration.seed), step: UInt64(step)))
        (penalty().map { loss + $0 } ?? loss).backward()
        arena.completeGradients()
        for group in groups { group.optimizer.arena.completeGradients() }
    }

    /// The sum of what extensions add to the loss.
    private func penalty() -> Variable? {
        extensions.reduce(nil as Variable?) { sum, each in
            guard let term = each.regularizer(step: step) else { return sum }
            return sum.map { $0 + term } ?? term
        }
    }

    private func factor(_ schedule: LearningRateSchedule) -> Double {
        schedule.factor(step: schedulePosition, total: configuration.steps)
    }

    /// Runs `body` with the weights that would be saved: their moving average where there is one.
    public func withResultWeights<Result>(_ body: () throws -> Result) rethrows -> Result {
        guard let average else { return try body() }
        return try average.withAveragedWeights(arena, body)
    }

    // MARK: changes of what is trained

    /// Multiplies the weights and their moving average elementwise: what is masked becomes exactly zero.
    ///
    /// - Parameter flat: laid out as the arena.
    public func multiplyWeights(by flat: Tensor) {
        precondition(flat.count == arena.count, "\(flat.count) factors for \(arena.count) weights")
        for tensor in [arena.values] + (average.map { [$0.average] } ?? []) {
            for index in 0..<flat.count { tensor.pointer[index] *= flat.pointer[index] }
        }
    }

    /// Begins the moving average anew from the present weights, after these were changed otherwise than by steps.
    public func restartAverage() {
        average = average.map { ExponentialMovingAverage(decay: $0.decay, arena: arena) }
    }

    /// Estimates the network's statistics anew: the mean over calibration batches of a training step's size, as many as
    /// hold about a thousand samples. The moving average takes them as they are.
    ///
    /// - Throws: what the task throws.
    public func estimateStatistics() throws {
        let count = max(1, 1024 / configuration.batchSize)
        for number in 0..<count {
            let batch = batches.calibrationBatch(number: number, of: count, size: configuration.batchSize)
            // The k-th batch counts for 1/k, so that all have counted alike in the end.
            try BatchStatistics.taken(momentum: 1 / Double(number + 1)) {
                try Autograd.withoutRecording {
                    _ = try task.loss(of: network, on: batch, teacher: nil, dropout: nil)
                }
            }
        }
        average?.takeStatistics(of: arena)
    }

    /// Goes on with other extensions: these start anew.
    public func setExtensions(_ extensions: [any TrainingExtension]) {
        self.extensions = extensions
        groups = OptimizedGroup.all(of: extensions)
    }

    /// Goes on with a smaller network, or with the larger one that it was made from: weights, moving average and
    /// optimiser state keep what is left.
    ///
    /// - Parameters:
    ///   - network: with its weights.
    ///   - own: its parameters, where they are in an arena already; nil for a new one.
    ///   - extensions: take the place of the present ones, whose parameters are those of the larger network.
    ///   - weights: what other weights become, those of the moving average, laid out as `gather` has it; nil where that
    ///     is `gather`.
    ///   - gather: the part that is left of a flat tensor laid out as the first arena, laid out as the second.
    public func adopt(
        _ network: Task.Network, arena own: ParameterArena? = nil, extensions: [any TrainingExtension] = [],
        weights: ((_ flat: Tensor, _ old: ParameterArena, _ new: ParameterArena) throws -> Tensor)? = nil,
        gather: (_ flat: Tensor, _ old: ParameterArena, _ new: ParameterArena) throws -> Tensor
    ) throws {
        let other = own ?? ParameterArena(network.parameters)
        let optimizer = Optimizer(configuration.optimizer, arena: other)
        var states: [String: [Float]] = [:]
        for (name, tensor) in self.optimizer.state { states[name] = try gather(tensor, arena, other).array }
        try optimizer.restore(step: self.optimizer.step, tensors: states)
        if let old = average {
            let new = ExponentialMovingAverage(decay: old.decay, arena: other)
            let values = try weights.map { try $0(old.average, arena, other) } ?? gather(old.average, arena, other)
            try new.restore(step: old.step, values: values.array)
            average = new
        }
        self.optimizer = optimizer
        self.network = network
        arena = other
        setExtensions(extensions)
        // What the other network needed may never be as large again.
        BufferPool.shared.trim()
    }
}

// MARK: state

extension Trainer {
    static var countNames: [String] { ["step", "optimizer_step", "ema_step"] }

    /// Where the training stands.
    public func snapshot() -> TrainerState {
        var state = TrainerState(arrays: networkArrays())
        state.counts = ["step": step, "optimizer_step": optimizer.step, "ema_step": average?.step ?? 0]
        if schedulePosition != step { state.counts["schedule_step"] = schedulePosition }
        for group in groups {
            state.arrays[group.prefix + "weights"] = group.optimizer.arena.values.array
            for (name, tensor) in group.optimizer.state { state.arrays[group.prefix + name] = tensor.array }
            state.counts[group.prefix + "step"] = group.optimizer.step
        }
        for each in extensions {
            let own = each.state
            for (name, values) in own.arrays { state.arrays[prefix(of: each) + name] = values }
            if !own.values.isEmpty { state.values[each.name] = own.values }
        }
        return state
    }

    /// As much of the state as a schedule is taken back by.
    public var schedule: TrainerState { TrainerState(counts: ["step": step, "schedule_step": schedulePosition]) }

    private func networkArrays() -> [String: [Float]] {
        var arrays = ["weights": arena.values.array]
        if let average { arrays["ema"] = average.average.array }
        for (name, tensor) in optimizer.state { arrays["optimizer.\(name)"] = tensor.array }
        return arrays
    }

    private func prefix(of each: any TrainingExtension) -> String { "extension.\(each.name).state." }

    /// Continues from a state of a trainer of the same network, configuration and extensions.
    /// - Throws: `OptimizerError.mismatchedState` for one of another network; what extensions throw.
    public func restore(_ state: TrainerState) throws {
        try restoreNetwork(state)
        for group in groups {
            let arena = group.optimizer.arena
            let weights = try state.array(group.prefix + "weights", count: arena.count)
            arena.values.assign(Tensor(weights, shape: [arena.count]))
            try group.optimizer.restore(
                step: state.counts[group.prefix + "step"] ?? 0, tensors: arrays(of: state, behind: group.prefix))
        }
        for each in extensions {
            try each.restore(
                ExtensionState(
                    arrays: arrays(of: state, behind: prefix(of: each)), values: state.values[each.name] ?? [:]))
        }
        step = state.counts["step"] ?? 0
        schedulePosition = state.counts["schedule_step"] ?? step
    }

    /// Goes back to a state of the same network, in part. Steps go on being counted, so that batches do not come again,
    /// and extensions keep what they have.
    ///
    /// - Parameters:
    ///   - state: an earlier one of this training.
    ///   - weights: whether the network's weights, their moving average and what the optimiser remembers are taken
    ///     back.
    ///   - schedule: whether learning rates are again those from that state on.
    /// - Throws: `OptimizerError.mismatchedState` for a state of another network.
    public func rewind(to state: TrainerState, weights: Bool, schedule: Bool) throws {
        if weights { try restoreNetwork(state) }
        if schedule { schedulePosition = state.counts["schedule_step"] ?? state.counts["step"] ?? 0 }
    }

    private func restoreNetwork(_ state: TrainerState) throws {
        let weights = try state.array("weights", count: arena.count)
        if let average {
            try average.restore(step: state.counts["ema_step"] ?? 0, values: state.arrays["ema"] ?? [])
        }
        try optimizer.restore(
            step: state.counts["optimizer_step"] ?? 0, tensors: arrays(of: state, behind: "optimizer."))
        arena.values.assign(Tensor(weights, shape: [weights.count]))
    }

    private func arrays(of state: TrainerState, behind prefix: String) -> [String: [Float]] {
        var arrays: [String: [Float]] = [:]
        for (name, values) in state.arrays where name.hasPrefix(prefix) {
            arrays[String(name.dropFirst(prefix.count))] = values
        }
        return arrays
    }
}

/// A parameter group of an extension with its arena and optimiser.
private struct OptimizedGroup {
    let group: ParameterGroup
    let optimizer: Optimizer
    /// Of the names of its state.
    let prefix: String

    static func all(of extensions: [any TrainingExtension]) -> [OptimizedGroup] {
        let groups = extensions.flatMap { each in
            each.parameterGroups.map { group in
                OptimizedGroup(
                    group: group, optimizer: Optimizer(group.optimizer, arena: ParameterArena(group.parameters)),
                    prefix: "extension.\(each.name).group.\(group.name).")
            }
        }
        precondition(
            Set(extensions.map(\.name)).count == extensions.count && Set(groups.map(\.prefix)).count == groups.count,
            "extensions of a training, or groups of one of them, share a name")
        return groups
    }
}

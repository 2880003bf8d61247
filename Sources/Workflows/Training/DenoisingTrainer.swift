import Diffusion
import Models
import Pruning
import TensorCore
import Training

public enum TrainingError: Error, CustomStringConvertible {
    case notFinite(step: Int, loss: Float)

    public var description: String {
        switch self {
        case .notFinite(let step, let loss):
            "the loss is \(loss) at step \(step): the learning rate is too high, or the weights or data are broken"
        }
    }
}

/// What one training step did.
public struct TrainingStepReport: Sendable {
    public let step: Int
    public let loss: Double
    public let gradientNorm: Double
    public let learningRate: Double
}

/// Trains or fine-tunes a U-Net: a pure function of its state and the step, so that it can be stopped anywhere.
public final class DenoisingTrainer {
    public private(set) var model: UNet
    public private(set) var arena: ParameterArena
    public private(set) var step = 0
    private var optimizer: Optimizer
    private var average: ExponentialMovingAverage?
    private let objective: DenoisingObjective
    private let batches: any TrainingBatches
    private let configuration: TrainingConfiguration
    private let teacher: UNet?

    /// - Parameter teacher: what distillation imitates; only used where the configuration gives it weight.
    public init(
        model: UNet, objective: DenoisingObjective, batches: any TrainingBatches, configuration: TrainingConfiguration,
        teacher: UNet? = nil
    ) {
        self.model = model
        self.objective = objective
        self.batches = batches
        self.configuration = configuration
        self.teacher = teacher
        model.usesGradientCheckpointing = configuration.gradientCheckpointing
        arena = ParameterArena(model.parameters)
        optimizer = Optimizer(configuration.optimizer, arena: arena)
        average = configuration.ema > 0 ? ExponentialMovingAverage(decay: configuration.ema, arena: arena) : nil
    }

    /// One update of the weights.
    @discardableResult
    public func advance() throws -> TrainingStepReport {
        arena.clearGradients()
        let dropout = DropoutMask(seed: UInt64(configuration.seed), step: UInt64(step))
        let loss = objective.loss(
            of: model, batches.batch(step: step), dropout: dropout, teacher: teacher,
            distillation: Float(configuration.distillation))
        let value = loss.value.scalar
        guard value.isFinite else { throw TrainingError.notFinite(step: step, loss: value) }
        loss.backward()
        arena.completeGradients()
        let norm = arena.gradientNorm
        guard norm.isFinite else { throw TrainingError.notFinite(step: step, loss: value) }
        let rate =
            configuration.learningRate
            * configuration.learningRateSchedule.factor(step: step, total: configuration.steps)
        let clip = configuration.gradientClip > 0 ? configuration.gradientClip : nil
        optimizer.update(
            arena, learningRate: rate, gradientScale: gradientClippingScale(norm: norm, maximum: clip))
        average?.update(arena)
        step += 1
        return TrainingStepReport(step: step, loss: Double(value), gradientNorm: norm, learningRate: rate)
    }

    /// Runs `body` with the weights that would be saved: their moving average where there is one.
    public func withResultWeights<Result>(_ body: () throws -> Result) rethrows -> Result {
        guard let average else { return try body() }
        return try average.withAveragedWeights(arena, body)
    }

    /// Goes on with a compacted model: weights, moving average and optimiser state keep the channels that are left.
    public func adopt(_ compaction: Compaction<UNet>) throws {
        let smaller = ParameterArena(compaction.network.parameters)
        let optimizer = Optimizer(configuration.optimizer, arena: smaller)
        var states: [String: [Float]] = [:]
        for (name, tensor) in self.optimizer.state {
            states[name] = compaction.gather(tensor, from: arena, to: smaller).array
        }
        try optimizer.restore(step: self.optimizer.step, tensors: states)
        if let old = average {
            let new = ExponentialMovingAverage(decay: old.decay, arena: smaller)
            try new.restore(step: old.step, values: compaction.gather(old.average, from: arena, to: smaller).array)
            average = new
        }
        self.optimizer = optimizer
        model = compaction.network
        arena = smaller
        // Nothing will be as large again as what the larger model needed.
        BufferPool.shared.trim()
    }

    /// Multiplies the weights and their moving average elementwise: what is masked becomes exactly zero.
    ///
    /// - Parameter flat: laid out as the arena.
    func multiplyWeights(by flat: Tensor) {
        for tensor in [arena.values] + (average.map { [$0.average] } ?? []) {
            for index in 0..<flat.count { tensor.pointer[index] *= flat.pointer[index] }
        }
    }

    // MARK: checkpoints

    /// Flat arrays by name: weights, moving average, optimiser state.
    public var stateArrays: [(name: String, values: [Float])] {
        var arrays = [("weights", arena.values.array)]
        if let average { arrays.append(("ema", average.average.array)) }
        arrays += optimizer.state.map { ("optimizer.\($0.name)", $0.tensor.array) }
        return arrays.map { (name: $0.0, values: $0.1) }
    }

    /// Step counts by name.
    public var stateCounts: [String: Int] {
        ["step": step, "optimizer_step": optimizer.step, "ema_step": average?.step ?? 0]
    }

    /// Continues from a checkpoint made by a trainer of the same model and configuration.
    public func restore(arrays: [String: [Float]], counts: [String: Int]) throws {
        guard let weights = arrays["weights"], weights.count == arena.count else {
            throw OptimizerError.mismatchedState(name: "weights", expected: arena.count, got: arrays["weights"]?.count)
        }
        arena.values.assign(Tensor(weights, shape: [weights.count]))
        if let average {
            try average.restore(step: counts["ema_step"] ?? 0, values: arrays["ema"] ?? [])
        }
        var states: [String: [Float]] = [:]
        for (name, _) in optimizer.state { states[name] = arrays["optimizer.\(name)"] }
        try optimizer.restore(step: counts["optimizer_step"] ?? 0, tensors: states)
        step = counts["step"] ?? 0
    }
}

import CKernels
import TensorCore

/// A moving average of a model's weights: average += (1 − decay)·(value − average).
///
/// The decay rises as min(decay, (1 + t)/(10 + t)), so that the first weights do not linger.
public final class ExponentialMovingAverage {
    public let decay: Double
    public let average: Tensor
    public private(set) var step = 0

    public init(decay: Double, arena: ParameterArena) {
        self.decay = decay
        average = arena.values.copied()
    }

    public func restore(step: Int, values: [Float]) throws {
        guard values.count == average.count else {
            throw OptimizerError.mismatchedState(name: "ema", expected: average.count, got: values.count)
        }
        average.assign(Tensor(values, shape: [values.count]))
        self.step = step
    }

    public func update(_ arena: ParameterArena) {
        step += 1
        let warmUp = Double(1 + step) / Double(10 + step)
        // Rounded once: 1 − 0.9995f would be off by 3e-5.
        dk_ema(Float(1 - min(decay, warmUp)), arena.values.pointer, arena.count, average.pointer)
    }

    /// Forgets what the average of the statistics was before.
    func takeStatistics(of arena: ParameterArena) {
        for index in arena.trainedCount..<arena.count { average.pointer[index] = arena.values.pointer[index] }
    }

    /// Runs `body` with the averaged weights in place of the trained ones, then puts those back.
    public func withAveragedWeights<Result>(_ arena: ParameterArena, _ body: () throws -> Result) rethrows -> Result {
        let trained = arena.values.copied()
        arena.values.assign(average)
        defer { arena.values.assign(trained) }
        return try body()
    }
}

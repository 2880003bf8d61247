import Files
import Pruning

/// Gradual pruning: every Δt steps each layer gives up its smallest weights, along a cubic curve that removes much
/// while there is much to choose from.
///
///     s_t = s_f + (s_i − s_f)·(1 − (t − t₀)/(nΔt))³        t = t₀, t₀ + Δt, …, t₀ + nΔt;   s_i = 0
///
/// Each layer keeps the same share of its weights. What left stays away; t₀ + nΔt is the end of the soft share of the
/// steps.
///
/// Based on: Zhu & Gupta, "To prune, or not to prune: exploring the efficacy of pruning for model compression", 2017,
/// arXiv 1710.01878.
///
/// Differs from the paper: the network is trained already; the rate of learning is the run's own.
public struct Gradual: Pruner {
    public struct Configuration: PrunerConfiguration {
        /// Δt: steps between updates.
        public var every = 10
        /// t₀: steps before the first.
        public var begin = 0

        public init() {}

        public func validate() throws {
            try require((1...1_000_000).contains(every), "every", got: every, expected: "1...1000000")
            try require((0...1_000_000).contains(begin), "begin", got: begin, expected: "0...1000000")
        }
    }

    public static let card = MethodCard(
        name: "gradual", family: "dynamic",
        summary: "the smallest weights of each layer leave along a cubic curve while the rest is trained",
        granularities: [.weight], allocation: .uniform, needsTraining: true,
        paper: "Zhu & Gupta, 2017, arXiv 1710.01878")
    public static let needs: [any EvidenceKind.Type] = []

    public let configuration: Configuration

    public init(_ configuration: Configuration, seed: UInt64) { self.configuration = configuration }

    /// s_t at a progress (t − t₀)/(nΔt) of 0 … 1.
    static func sparsity(at progress: Double, final: Double) -> Double {
        1 - MaskSchedule.cubic.density(at: progress, final: 1 - final)
    }

    /// The steps of the updates.
    private func steps(_ timing: PlanTiming) -> [Int] {
        let begin = min(configuration.begin, timing.softSteps)
        let steps = Array(stride(from: begin, through: timing.softSteps, by: configuration.every))
        // The curve begins by removing nothing, and ends where it is told to.
        return steps.count == 1 ? steps : Array(steps.dropFirst())
    }

    public func plan(_ timing: PlanTiming) -> PruningPlan {
        var stages: [PruningPlan.Stage] = []
        var done = 0
        for (number, step) in steps(timing).enumerated() {
            if step > done { stages.append(.train(steps: step - done)) }
            done = step
            stages.append(.update(number))
        }
        stages += timing.closing
        if timing.steps > done { stages.append(.train(steps: timing.steps - done)) }
        return PruningPlan(stages + timing.ending)
    }

    public mutating func update(
        _ masks: inout Masks, number: Int, in context: PruningContext
    ) throws -> MaskUpdateReport {
        let steps = steps(context.timing)
        let begin = min(configuration.begin, context.timing.softSteps)
        let span = Double((steps.last ?? begin) - begin)
        let sparsity = Self.sparsity(
            at: span > 0 ? Double(steps[number] - begin) / span : 1, final: 1 - context.remaining)
        return try context.removeLowest(
            &masks, by: Magnitude(Magnitude.Configuration(), seed: 0), density: max(context.remaining, 1 - sparsity))
    }
}

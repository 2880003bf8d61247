import Pruning

/// `one-shot`: the flow's criterion applied once, at the dense model, with hard masks. The first control for the flow.
///
///     score_k = e_k of the energy (see `EnergyReading`), per unit of cost that the channel frees
///
/// Based on: Wang, Zhang & Grosse, "Picking Winning Tickets Before Training by Preserving Gradient Flow", ICLR 2020,
/// arXiv 2002.07376; "Pruning for Sparse Diffusion Models Based on Gradient Flow", ICASSP 2025, arXiv 2501.09464.
///
/// Differs from the paper: the derivative is taken with respect to a channel's gate, exactly, instead of summing GraSP's
/// elementwise scores; by default it is that of the look-ahead energy and is read by its size, as in `gradient-flow`
/// (`energy: gradient-norm`, `reading: signed` is the published criterion). 2501.09464 is open to us by its abstract only.
public struct OneShot: Pruner {
    public struct Configuration: PrunerConfiguration {
        public var energy = MaskEnergy.lookAhead
        public var lookAhead = 0.3
        public var reading = VelocityReading.magnitude
        public init() {}

        var energyReading: EnergyReading { EnergyReading(energy: energy, lookAhead: lookAhead, reading: reading) }
        public func validate() throws { try energyReading.validate() }
    }

    public static let card = MethodCard(
        name: "one-shot", family: "gradient-flow",
        summary: "the gradient-flow criterion applied once, with hard masks",
        paper: "Wang, Zhang & Grosse, 2020, arXiv 2002.07376")
    public static let needs = EnergyReading.needs
    public let configuration: Configuration
    public var state = NoConfiguration()

    public init(_ configuration: Configuration, seed: UInt64) { self.configuration = configuration }

    public var updates: Int { 1 }

    public mutating func update(
        _ masks: inout MaskSet, index: Int, in context: PruningContext
    ) throws -> MaskUpdateReport {
        try removeLowest(&masks, by: configuration.energyReading, density: context.remaining, in: context)
    }
}

/// `vanilla-iterative`: the flow's criterion in rounds with hard masks and fine-tuning between; what left stays away. The
/// second control for the flow. Formula, sources and differences as for `OneShot`.
public struct VanillaIterative: Pruner {
    public struct Configuration: PrunerConfiguration {
        public var rounds = 8
        public var schedule = MaskSchedule.linear
        public var energy = MaskEnergy.lookAhead
        public var lookAhead = 0.3
        public var reading = VelocityReading.magnitude
        public init() {}

        var energyReading: EnergyReading { EnergyReading(energy: energy, lookAhead: lookAhead, reading: reading) }
        public func validate() throws {
            guard (1...10_000).contains(rounds) else {
                throw PrunerConfigurationError(key: "rounds", got: rounds, expected: "1...10000")
            }
            try energyReading.validate()
        }
    }

    public static let card = MethodCard(
        name: "vanilla-iterative", family: "gradient-flow",
        summary: "the gradient-flow criterion in rounds, with hard masks and fine-tuning between",
        paper: "Wang, Zhang & Grosse, 2020, arXiv 2002.07376")
    public static let needs = EnergyReading.needs
    public let configuration: Configuration
    public var state = NoConfiguration()

    public init(_ configuration: Configuration, seed: UInt64) { self.configuration = configuration }

    public var updates: Int { configuration.rounds }

    public mutating func update(
        _ masks: inout MaskSet, index: Int, in context: PruningContext
    ) throws -> MaskUpdateReport {
        let progress = Double(index + 1) / Double(updates)
        let density = configuration.schedule.density(at: progress, final: context.remaining)
        return try removeLowest(&masks, by: configuration.energyReading, density: density, in: context)
    }
}

extension Pruner {
    /// Removes what the energy ranks lowest among the channels still there.
    fileprivate func removeLowest(
        _ masks: inout MaskSet, by reading: EnergyReading, density: Double, in context: PruningContext
    ) throws -> MaskUpdateReport {
        let curvature = try context.evidence.curvature(masks: masks)
        var (scores, energy) = reading.read(curvature)
        for (group, mask) in masks.values.enumerated() {
            for (channel, value) in mask.enumerated() where value == 0 { scores[group][channel] = -.infinity }
        }
        let old = masks
        masks = try context.selection.masks(keeping: scores, remaining: density, perCost: true)
        return context.report(from: old, to: masks, energy: energy, loss: curvature.gradient.loss)
    }
}

import Files
import Pruning

/// Settings of `gradient-flow`.
public struct GradientFlowConfiguration: PrunerConfiguration {
    /// How velocities of different channels are brought to one scale before the flow.
    public enum Scaling: String, Codable, Sendable, CaseIterable {
        /// As they are.
        case none
        /// Their rank among all channels, spread evenly over [−1, 1]:
        /// a heavy tail cannot make one channel take all the motion.
        case rank
        /// Their rank within their own group: every group gives up about the same share, and the flow decides which
        /// channels; velocities of different layers need not be comparable.
        case groupRank = "group-rank"
    }

    /// Which way masks take.
    public enum Flow: String, Codable, Sendable, CaseIterable {
        /// Towards the choice that lowers the energy most within the budget (Frank & Wolfe).
        case frankWolfe = "frank-wolfe"
        /// The same way, a little of it after every training step, by what its backward pass says of the masks.
        case continuous
        /// Along the energy and the density at once (SpODE), decided by a double well.
        case sparse
    }

    public var flow = Flow.frankWolfe
    public var energy = MaskEnergy.lookAhead
    /// η of the look-ahead energy, as a multiple of the Cauchy step ‖g‖²/(gᵀHg).
    public var lookAhead = 0.3
    /// How velocities are read; `signed` is the flow as published.
    public var reading = VelocitySign.magnitude
    /// Rounds of flow with fine-tuning between them.
    public var rounds = 6
    /// `frank-wolfe`, `continuous`. Share of the way to the choice that masks go in a round.
    public var step = 0.6
    /// `continuous`. How much of what masks are chosen by comes from the training steps since the last round, the rest
    /// being what rounds read.
    public var trainingShare = 0.5
    /// `continuous`. Training steps from one choice to the next.
    public var chooseEvery = 5
    /// Euler steps a round; `sparse`, as are those below that say so.
    public var flowSteps = 10
    /// `sparse`. r ≥ 1: how much of the motion follows the energy beside the density (1: none; the larger,
    /// the sooner masks decide).
    public var ratio = 3.0
    /// How the density falls over the rounds.
    public var schedule = MaskSchedule.linear
    /// Progress at which the density has arrived; the rounds after it only finish undecided masks.
    public var arrival = 0.7
    /// `sparse`. Strength, at the end, of the double-well drive 2m − 1 that finishes undecided masks; it rises linearly
    /// from 0.
    public var polarization = 1.0
    /// `sparse`: velocities, before they drive.
    public var scaling = Scaling.rank
    /// Share of the previous rounds' velocities that is kept (exponential averaging over rounds).
    public var momentum = 0.5
    /// Coarse-grained: the criterion is evaluated every this many rounds only.
    public var evaluateEvery = 1
    /// Coarse-grained: masks are shared by runs of this many neighbouring channels.
    public var blockSize = 1

    public init() {}

    var criterion: EnergyCriterion.Configuration {
        EnergyCriterion.Configuration(energy: energy, lookAhead: lookAhead, reading: reading)
    }

    public func validate() throws {
        try criterion.validate()
        try require((1...10_000).contains(rounds), "rounds", got: rounds, expected: "1...10000")
        try require((1...10_000).contains(flowSteps), "flow_steps", got: flowSteps, expected: "1...10000")
        try require(ratio >= 1 && ratio <= 1000, "ratio", got: ratio, expected: "1...1000")
        try require(step > 0 && step <= 1, "step", got: step, expected: "in (0, 1]")
        let own = Self()
        try require((0...1).contains(trainingShare), "training_share", got: trainingShare, expected: "in 0...1")
        try require((1...10_000).contains(chooseEvery), "choose_every", got: chooseEvery, expected: "1...10000")
        try requireOwn(
            [.sparse],
            [
                ("flow_steps", flowSteps == own.flowSteps ? nil : "\(flowSteps)"),
                ("ratio", ratio == own.ratio ? nil : "\(ratio)"),
                ("polarization", polarization == own.polarization ? nil : "\(polarization)"),
                ("scaling", scaling == own.scaling ? nil : "'\(scaling.rawValue)'"),
            ])
        try requireOwn([.frankWolfe, .continuous], [("step", step == own.step ? nil : "\(step)")])
        try requireOwn(
            [.continuous],
            [
                ("training_share", trainingShare == own.trainingShare ? nil : "\(trainingShare)"),
                ("choose_every", chooseEvery == own.chooseEvery ? nil : "\(chooseEvery)"),
            ])
        try require(arrival > 0 && arrival <= 1, "arrival", got: arrival, expected: "in (0, 1]")
        try require(
            polarization >= 0 && polarization.isFinite, "polarization", got: polarization, expected: "at least 0")
        try require((0..<1).contains(momentum), "momentum", got: momentum, expected: "in [0, 1)")
        try require((1...10_000).contains(evaluateEvery), "evaluate_every", got: evaluateEvery, expected: "1...10000")
        try require((1...4096).contains(blockSize), "block_size", got: blockSize, expected: "1...4096")
    }

    /// Refuses settings of flows that are not the one to be taken.
    private func requireOwn(_ flows: [Flow], _ settings: [(key: String, value: String?)]) throws {
        guard !flows.contains(flow) else { return }
        for case (let key, let value?) in settings {
            throw SettingError(
                key: key, got: value, expected: "no value with flow '\(self.flow.rawValue)', which has no such setting")
        }
    }
}

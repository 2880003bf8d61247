/// What a pruning run does: stages in order, as plain data. A run that is resumed needs its place in it only.
public struct PruningPlan: Codable, Equatable, Sendable {
    public enum Stage: Codable, Equatable, Sendable {
        /// Fine-tunes for this many steps under the present masks.
        case train(steps: Int)
        /// The method changes the masks; updates are numbered from 0.
        case update(Int)
        /// Remembers the state of training under a name.
        case snapshot(String)
        /// Takes back the weights and the schedule of learning rates of a snapshot; the masks stay.
        case rewind(to: String)
        /// Repairs what is left, layer by layer, before anything is trained.
        case reconstruct
        /// Writes masks of weights into the weights: what is masked becomes exactly zero.
        case bake
        /// Removes the masked channels for good.
        case compact
    }

    public var stages: [Stage]

    public init(_ stages: [Stage]) { self.stages = stages }

    /// Steps of all `train` stages.
    public var steps: Int {
        stages.reduce(0) { if case .train(let steps) = $1 { $0 + steps } else { $0 } }
    }

    public var updates: Int { stages.count { if case .update = $0 { true } else { false } } }
}

/// How much training a run is given, and what its masks are of.
public struct PlanTiming: Sendable {
    /// Fine-tuning steps of the whole run.
    public let steps: Int
    /// Share of the steps that lies before the last mask update.
    public let softFraction: Double
    public let space: PruningSpace.Kind

    public init(steps: Int, softFraction: Double, space: PruningSpace.Kind) {
        self.steps = steps
        self.softFraction = softFraction
        self.space = space
    }
}

extension PruningPlan {
    /// `count` updates spread evenly over the soft share of the steps, the first at once; then what is left is made
    /// smaller for good and fine-tuned.
    ///
    ///     update 0 ─ steps ─ update 1 ─ steps ─ … ─ last update ─ compact ─ steps
    ///
    /// Masks of weights stay on for the rest of the steps and are written into the weights at the end. One update is made
    /// before any step.
    ///
    /// - Parameter repairs: whether what is left is reconstructed right after the last update.
    public static func updates(_ count: Int, _ timing: PlanTiming, repairs: Bool = false) -> PruningPlan {
        var stages: [Stage] = []
        var done = 0
        for number in 0..<count {
            let share = count > 1 ? Double(number) / Double(count - 1) : 0
            let boundary = Int((Double(timing.steps) * timing.softFraction * share).rounded())
            if boundary > done { stages.append(.train(steps: boundary - done)) }
            done = boundary
            stages.append(.update(number))
        }
        if repairs { stages.append(.reconstruct) }
        if timing.space == .channels { stages.append(.compact) }
        if timing.steps > done { stages.append(.train(steps: timing.steps - done)) }
        if timing.space == .weights { stages.append(.bake) }
        return PruningPlan(stages)
    }
}

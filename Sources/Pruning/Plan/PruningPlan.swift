/// What a pruning run does: stages in order, as plain data. A run that is resumed needs its place in it only.
public struct PruningPlan: Codable, Equatable, Sendable {
    public enum Stage: Codable, Equatable, Sendable {
        /// Fine-tunes for this many steps under the present masks.
        case train(steps: Int)
        /// The method changes the masks; updates are numbered from 0.
        case update(Int)
        /// Remembers the state of training under a name.
        case snapshot(String)
        /// Takes back the schedule of learning rates of a snapshot, and with `weights` the weights too; the masks stay.
        case rewind(to: String, weights: Bool)
        /// Repairs what is left, layer by layer, before anything is trained.
        case reconstruct
        /// Writes masks of weights into the weights: what is masked becomes exactly zero.
        case bake
        /// Removes the masked channels for good.
        case compact

        /// Whether it fine-tunes.
        public var trains: Bool { if case .train = self { true } else { false } }
    }

    public var stages: [Stage]

    public init(_ stages: [Stage]) { self.stages = stages }

    /// Steps of all `train` stages.
    public var steps: Int {
        stages.reduce(0) { if case .train(let steps) = $1 { $0 + steps } else { $0 } }
    }

    /// Steps over which learning rates run: those of the longest way from the start to the end that no rewinding cuts
    /// short.
    public var scheduleSteps: Int {
        var (position, longest) = (0, 0)
        var snapshots: [String: Int] = [:]
        for stage in stages {
            switch stage {
            case .train(let steps): position += steps
            case .snapshot(let name): snapshots[name] = position
            case .rewind(let name, _): position = snapshots[name] ?? 0
            default: break
            }
            longest = max(longest, position)
        }
        return longest
    }

    /// The number of the last mask update's stage; nil where there is none.
    public var lastUpdate: Int? { stages.lastIndex { if case .update = $0 { true } else { false } } }

    /// Whether something is taken back anywhere.
    public var rewinds: Bool { stages.contains { if case .rewind = $0 { true } else { false } } }

    /// Whether weights are taken back to what a snapshot of this name holds, and not the schedule alone.
    public func rewindsWeights(to name: String) -> Bool { stages.contains(.rewind(to: name, weights: true)) }

    /// The same with the schedule of learning rates begun anew once it is decided what stays: after the last update and
    /// its repair. Where no step comes before that, it begins there as it is.
    ///
    /// - Precondition: nothing is taken back yet.
    public var rewindingLearningRate: PruningPlan {
        precondition(!rewinds, "a plan that rewinds by itself")
        guard let last = lastUpdate, stages[..<last].contains(where: \.trains) else { return self }
        let decided = stages.lastIndex(of: .reconstruct).map { max($0, last) } ?? last
        return PruningPlan(
            [.snapshot("start")] + stages[...decided] + [.rewind(to: "start", weights: false)]
                + stages[(decided + 1)...])
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
    /// Fraction of the first limit's cost that may be left at the end.
    public let remaining: Double

    public init(steps: Int, softFraction: Double, space: PruningSpace.Kind, remaining: Double) {
        self.steps = steps
        self.softFraction = softFraction
        self.space = space
        self.remaining = remaining
    }

    /// The same with all steps after the last mask update.
    public var withoutSoftSteps: PlanTiming {
        PlanTiming(steps: steps, softFraction: 0, space: space, remaining: remaining)
    }

    /// The steps before the last mask update.
    public var softSteps: Int { Int((Double(steps) * softFraction).rounded()) }

    /// The stage that makes what is left smaller for good; weights are baked after the last training instead.
    public var closing: [PruningPlan.Stage] { space == .channels ? [.compact] : [] }
    /// The stage that ends a run of masked weights.
    public var ending: [PruningPlan.Stage] { space == .weights ? [.bake] : [] }
}

extension PruningPlan {
    /// `count` updates spread evenly over the soft share of the steps, the first at once; then what is left is made
    /// smaller for good and fine-tuned.
    ///
    ///     update 0 ─ steps ─ update 1 ─ steps ─ … ─ last update ─ compact ─ steps
    ///
    /// Masks of weights stay on for the rest of the steps and are written into the weights at the end.
    /// One update is made before any step.
    ///
    /// - Parameters:
    ///   - count: of updates, at least 1.
    ///   - timing: the steps there are.
    ///   - repairs: whether what is left is reconstructed right after the last update.
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
        stages += timing.closing
        if timing.steps > done { stages.append(.train(steps: timing.steps - done)) }
        return PruningPlan(stages + timing.ending)
    }
}

import Files

/// `pruning.json`: what was removed from a model, by which method, and what that achieved.
public struct PruningRecord: Codable, Sendable, Equatable {
    /// One channel axis of the model.
    public struct Group: Codable, Sendable, Equatable {
        public var name: String
        public var originalWidth: Int
        /// Original numbers of the channels left, ascending.
        public var kept: [Int]

        public init(name: String, originalWidth: Int, kept: [Int]) {
            self.name = name
            self.originalWidth = originalWidth
            self.kept = kept
        }

        enum CodingKeys: String, CodingKey {
            case name, kept
            case originalWidth = "original_width"
        }
    }

    /// A count before and after.
    public struct Change: Codable, Sendable, Equatable {
        public var dense: Double
        public var pruned: Double
        public var ratio: Double

        public init(dense: Double, pruned: Double) {
            self.dense = dense
            self.pruned = pruned
            ratio = dense > 0 ? pruned / dense : 0
        }
    }

    public struct Asked: Codable, Sendable, Equatable {
        public var quantity: String
        public var value: Double
        /// What an amount is counted in, "MB"; empty for a plain number, nil for a share.
        public var unit: String?

        public init(quantity: String, value: Double, unit: String? = nil) {
            self.quantity = quantity
            self.value = value
            self.unit = unit
        }

        /// As a target says it: "macs=0.5", "bytes=2MB".
        public var text: String { "\(quantity)=" + (unit.map { value.plain + $0 } ?? value.significant(6)) }
    }

    public struct Achieved: Codable, Sendable, Equatable {
        public var parameters: Change
        public var macs: Change
        public var channels: Change
        /// Weights of convolutions and linear layers that are not zero; nil where channels were removed.
        public var weights: Change?
        /// The weights' file, where single weights were masked its compact form of what is left; nil in records of
        /// versions that did not note it.
        public var bytes: Change?

        public init(
            parameters: Change, macs: Change, channels: Change, weights: Change? = nil, bytes: Change? = nil
        ) {
            self.parameters = parameters
            self.macs = macs
            self.channels = channels
            self.weights = weights
            self.bytes = bytes
        }
    }

    /// A pruning of a model that was pruned again.
    public struct Earlier: Codable, Sendable, Equatable {
        public var method: String
        public var granularity: String?
        public var configuration: String
        public var seed: Int
        public var asked: Asked
        public var achieved: Achieved
    }

    public static let currentSchema = 1

    public var schema = PruningRecord.currentSchema
    public var method: String
    /// What left at once, as in `pruning.granularity`.
    public var granularity: String?
    /// The run's resolved configuration, as YAML.
    public var configuration: String
    public var seed: Int
    /// All that was asked for, as in `pruning.target`.
    public var target: String?
    /// The first limit of it.
    public var asked: Asked
    /// What this pruning left of the model that it was given.
    public var achieved: Achieved
    public var groups: [Group]
    /// The program and the command that wrote the record. No part of what the model is.
    public var madeBy: Provenance?
    /// The prunings before this one, the first of them first; nil where the model given was dense.
    public var history: [Earlier]?

    public init(
        method: String, granularity: String? = nil, configuration: String, seed: Int, target: String? = nil,
        asked: Asked, achieved: Achieved, groups: [Group], madeBy: Provenance? = nil
    ) {
        self.method = method
        self.granularity = granularity
        self.configuration = configuration
        self.seed = seed
        self.target = target
        self.asked = asked
        self.achieved = achieved
        self.groups = groups
        self.madeBy = madeBy
    }

    private enum CodingKeys: String, CodingKey {
        case schema, method, granularity, configuration, seed, target, asked, achieved, groups, history
        case madeBy = "made_by"
    }

    /// What was asked for, for people: "macs=0.5,params=0.4".
    public var request: String { target ?? asked.text }

    /// What the first limit counts, in words; "weights" where single weights were masked.
    public var quantityName: String {
        switch asked.quantity {
        case "macs": "MACs"
        case "params": "parameters"
        case "bytes": "bytes"
        default: achieved.weights == nil ? "channels" : "weights"
        }
    }

    /// This pruning and those before it, as the history of the next.
    public var asHistory: [Earlier] {
        (history ?? []) + [
            Earlier(
                method: method, granularity: granularity, configuration: configuration, seed: seed, asked: asked,
                achieved: achieved)
        ]
    }

    /// What all prunings together left of the model before the first; nil where there was one alone.
    public var achievedInAll: Achieved? {
        guard let first = history?.first?.achieved else { return nil }
        func change(_ dense: Change, _ pruned: Change) -> Change { Change(dense: dense.dense, pruned: pruned.pruned) }
        return Achieved(
            parameters: change(first.parameters, achieved.parameters), macs: change(first.macs, achieved.macs),
            channels: change(first.channels, achieved.channels),
            weights: first.weights.flatMap { dense in achieved.weights.map { change(dense, $0) } },
            bytes: first.bytes.flatMap { dense in achieved.bytes.map { change(dense, $0) } })
    }

    /// Channels left by group name, of the groups that lost some.
    public var keptChannels: [String: [Int]] {
        var kept: [String: [Int]] = [:]
        for group in groups where group.kept.count != group.originalWidth { kept[group.name] = group.kept }
        return kept
    }
}

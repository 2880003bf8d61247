import Files
import Foundation
import Layers
import ModelFolders
import Pruning

/// What a model folder holds, counted.
public struct ModelInformation: Sendable {
    /// One channel axis.
    public struct Group: Sendable, Equatable {
        public let name: String
        public let originalWidth: Int
        public let width: Int
    }

    /// The weights of one convolution or linear layer.
    public struct Weights: Sendable, Equatable {
        public let name: String
        public let count: Int
        /// Those that are not exactly zero.
        public let nonzero: Int
    }

    /// What the model's configuration calls its kind.
    public let className: String
    public let parameters: Int
    /// Multiply–accumulates of one call for one image.
    public let macs: Double
    /// Of the weight files that are read.
    public let bytes: Int
    /// What the weights are stored as.
    public let weightTypes: WeightTypes
    /// Of the compact form of weights with zeros; nil where there is none.
    public let sparseBytes: Int?
    /// Every tensor whose single weights may be masked.
    public let weights: [Weights]
    public let groups: [Group]
    /// What the model's kind says of it, for programs.
    public let facts: [String: JSONValue]
    /// The same for people.
    public let summary: [(title: String, text: String)]
    /// nil for a model that was never pruned.
    public let pruning: PruningRecord?
    /// One sentence for each oddity that was overlooked on loading.
    public let warnings: [String]

    /// Loads the model in `folder`.
    /// - Throws: as the family's `load`.
    public init<Family: ModelFamily>(_ folder: Family) throws {
        let stored = try folder.load()
        let network = stored.model
        className = Family.classNames[0]
        parameters = network.parameterCount
        macs = network.macs
        bytes = try folder.weightBytes()
        weightTypes = stored.weightTypes
        sparseBytes = try folder.sparseWeightBytes()
        weights = PruningSpace.weights(of: network).parameters.map {
            Weights(
                name: $0.name, count: $0.count, nonzero: $0.variable.value.unsafeBuffer.count { $0 != 0 })
        }
        groups = network.channelGroups.filter(\.isPrunable).map {
            Group(name: $0.name, originalWidth: $0.originalWidth, width: $0.width)
        }
        facts = stored.facts
        summary = stored.summary
        pruning = stored.pruning
        warnings = stored.warnings
    }

    /// Prunable channels, all groups together.
    public var channels: Int { groups.reduce(0) { $0 + $1.width } }
    public var maskableWeights: Int { weights.reduce(0) { $0 + $1.count } }
    public var nonzeroWeights: Int { weights.reduce(0) { $0 + $1.nonzero } }

    /// For programs: what is counted, and what the model's kind says of it.
    public func json() throws -> JSONValue {
        var members = facts
        members["class"] = .string(className)
        members["parameters"] = .int(parameters)
        members["macs"] = try JSONValue(encoding: macs)
        members["bytes"] = .int(bytes)
        members["dtype"] = .string(weightTypes.name)
        members["sparse_bytes"] = sparseBytes.map { .int($0) }
        members["channels"] = .int(channels)
        members["maskable_weights"] = .int(maskableWeights)
        members["nonzero_weights"] = .int(nonzeroWeights)
        members["weights"] = .array(
            weights.map { ["name": .string($0.name), "count": .int($0.count), "nonzero": .int($0.nonzero)] })
        members["groups"] = .array(
            groups.map {
                ["name": .string($0.name), "original_width": .int($0.originalWidth), "width": .int($0.width)]
            })
        if let pruning {
            var record: [String: JSONValue] = [
                "method": .string(pruning.method), "seed": .int(pruning.seed),
                "asked": try JSONValue(encoding: pruning.asked), "achieved": try JSONValue(encoding: pruning.achieved),
            ]
            record["history"] = try pruning.history.map { try JSONValue(encoding: $0) }
            record["achieved_in_all"] = try pruning.achievedInAll.map { try JSONValue(encoding: $0) }
            members["pruning"] = .object(record)
        }
        return .object(members)
    }
}

import Foundation
import ModelFolders
import Pruning

/// What a model folder holds, counted.
public struct ModelInformation: Codable, Sendable, Equatable {
    /// One channel axis.
    public struct Group: Codable, Sendable, Equatable {
        public let name: String
        public let originalWidth: Int
        public let width: Int

        enum CodingKeys: String, CodingKey {
            case name, width
            case originalWidth = "original_width"
        }
    }

    /// What a pruned model was asked for and what it got.
    public struct Pruning: Codable, Sendable, Equatable {
        public let method: String
        public let seed: Int
        public let asked: PruningRecord.Asked
        public let achieved: PruningRecord.Achieved
    }

    public let parameters: Int
    /// Multiply–accumulates of one prediction for one image of `imageSize`.
    public let macs: Double
    /// Of the weight files.
    public let bytes: Int
    /// Weights of convolutions and linear layers, and how many of them are not zero.
    public let maskableWeights: Int
    public let nonzeroWeights: Int
    /// Of the compact form of weights with zeros; nil where there is none.
    public let sparseBytes: Int?
    /// Height and width.
    public let imageSize: [Int]
    public let inChannels: Int
    public let outChannels: Int
    /// Prunable channels, all groups together.
    public let channels: Int
    public let scheduler: String
    public let trainTimesteps: Int
    public let predictionType: String
    public let groups: [Group]
    /// nil for a model that was never pruned.
    public let pruning: Pruning?

    enum CodingKeys: String, CodingKey {
        case parameters, macs, bytes, channels, scheduler, groups, pruning
        case maskableWeights = "maskable_weights"
        case nonzeroWeights = "nonzero_weights"
        case sparseBytes = "sparse_bytes"
        case imageSize = "image_size"
        case inChannels = "in_channels"
        case outChannels = "out_channels"
        case trainTimesteps = "train_timesteps"
        case predictionType = "prediction_type"
    }

    /// - Parameter folder: where `pipeline` was loaded from.
    public init(_ pipeline: Pipeline, folder: PipelineFolder) throws {
        let model = pipeline.model
        parameters = model.parameterCount
        macs = model.macs
        bytes = try folder.weightBytes()
        sparseBytes = try folder.sparseWeightBytes()
        let weights = PruningSpace.weights(of: model)
        maskableWeights = weights.count
        nonzeroWeights = Masks(nonzerosOf: weights).values.count { $0 == 1 }
        imageSize = model.size
        inChannels = model.configuration.inChannels
        outChannels = model.configuration.outChannels
        groups = model.channelGroups.filter(\.isPrunable).map {
            Group(name: $0.name, originalWidth: $0.originalWidth, width: $0.width)
        }
        channels = groups.reduce(0) { $0 + $1.width }
        scheduler = pipeline.scheduler.schedulerClass.rawValue
        trainTimesteps = pipeline.scheduler.trainTimesteps
        predictionType = pipeline.scheduler.predictionType.rawValue
        pruning = pipeline.pruning.map {
            Pruning(method: $0.method, seed: $0.seed, asked: $0.asked, achieved: $0.achieved)
        }
    }
}

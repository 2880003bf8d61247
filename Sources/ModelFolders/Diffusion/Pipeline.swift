import Diffusion
import Files
import Models

/// A denoising model with its scheduler, and what is known of its pruning.
public struct Pipeline: StoredModel {
    public let model: UNet
    public var scheduler: SchedulerConfiguration
    /// nil for a model that was never pruned.
    public var pruning: PruningRecord?
    /// One sentence for each oddity that was overlooked on loading.
    public var warnings: [String] = []

    public init(model: UNet, scheduler: SchedulerConfiguration, pruning: PruningRecord? = nil) {
        self.model = model
        self.scheduler = scheduler
        self.pruning = pruning
    }

    /// The same with a network of its own.
    public func copied() throws -> Pipeline {
        var copy = Pipeline(model: try model.copied(), scheduler: scheduler, pruning: pruning)
        copy.warnings = warnings
        return copy
    }

    public var settings: [String: JSONValue] {
        get throws {
            [
                "configuration": try JSONValue(encoding: model.configuration),
                "scheduler": try JSONValue(encoding: scheduler),
            ]
        }
    }

    public var facts: [String: JSONValue] {
        [
            "image_size": .array(model.size.map { .int($0) }), "in_channels": .int(model.configuration.inChannels),
            "out_channels": .int(model.configuration.outChannels),
            "scheduler": .string(scheduler.schedulerClass.rawValue),
            "train_timesteps": .int(scheduler.trainTimesteps),
            "prediction_type": .string(scheduler.predictionType.rawValue),
        ]
    }

    public var summary: [(title: String, text: String)] {
        let size = model.size.map(String.init).joined(separator: "×")
        let configuration = model.configuration
        return [
            ("images", "\(size), \(configuration.inChannels) channels in, \(configuration.outChannels) out"),
            (
                "scheduler",
                "\(scheduler.schedulerClass.rawValue), \(scheduler.trainTimesteps) timesteps, predicts "
                    + scheduler.predictionType.rawValue
            ),
        ]
    }
}

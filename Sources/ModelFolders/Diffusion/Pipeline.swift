import Diffusion
import Files
import Models

/// A denoising model with its scheduler, and what is known of its pruning.
public struct Pipeline: StoredModel {
    public let model: UNet
    /// What the folder says beside the network; saved again as it was.
    let origin: PipelineOrigin
    /// nil for a model that was never pruned.
    public var pruning: PruningRecord?
    /// What the weights are stored as.
    public var weightTypes = WeightTypes.float32
    /// One sentence for each oddity that was overlooked on loading.
    public var warnings: [String] = []

    public init(model: UNet, scheduler: SchedulerConfiguration, pruning: PruningRecord? = nil) {
        self.init(model: model, origin: PipelineOrigin(scheduler: .schedule(scheduler, warnings: [])), pruning: pruning)
    }

    init(model: UNet, origin: PipelineOrigin, pruning: PruningRecord? = nil) {
        self.model = model
        self.origin = origin
        self.pruning = pruning
    }

    /// The noise schedule that the model learned with, and how it is sampled.
    /// - Throws: `ModelFolderError.noSchedule` where the folder's scheduler has none.
    public var scheduler: SchedulerConfiguration {
        get throws {
            switch origin.scheduler {
            case .schedule(let configuration, _): return configuration
            case .none(let name, let reason):
                throw ModelFolderError.noSchedule(path: origin.schedulerPath, name: name, reason: reason)
            }
        }
    }

    /// A schedule to take time by, which does not depend on its numbers: the model's, or one of as many timesteps,
    /// those that are visited above 0.
    public var timingScheduler: SchedulerConfiguration {
        if case .schedule(let configuration, _) = origin.scheduler { return configuration }
        var stand = SchedulerConfiguration()
        if let steps = origin.schedulerSource?["num_train_timesteps"]?.intValue,
            (2...SchedulerConfiguration.trainTimestepsLimit).contains(steps)
        {
            stand.trainTimesteps = steps
        }
        stand.stepsOffset = 1
        return stand
    }

    /// What came of it: another network, everything else as it was.
    ///
    /// - Parameters:
    ///   - model: what it has become.
    ///   - pruning: what is now known of its pruning.
    public func become(_ model: UNet, pruning: PruningRecord?) -> Pipeline {
        var result = Pipeline(model: model, origin: origin, pruning: pruning)
        result.weightTypes = weightTypes
        result.warnings = warnings
        return result
    }

    /// The same with a network of its own.
    public func copied() throws -> Pipeline { become(try model.copied(), pruning: pruning) }

    public var settings: [String: JSONValue] {
        get throws {
            [
                "configuration": try JSONValue(encoding: model.configuration),
                "scheduler": try origin.meaning,
            ]
        }
    }

    public var facts: [String: JSONValue] {
        let schedule = try? scheduler
        return [
            "image_size": .array(model.size.map { .int($0) }), "in_channels": .int(model.configuration.inChannels),
            "out_channels": .int(model.configuration.outChannels),
            "scheduler": .string(origin.schedulerClass),
            "train_timesteps": schedule.map { .int($0.trainTimesteps) } ?? .null,
            "prediction_type": schedule.map { .string($0.predictionType.rawValue) } ?? .null,
        ]
    }

    public var summary: [(title: String, text: String)] {
        let size = model.size.map(String.init).joined(separator: "×")
        let configuration = model.configuration
        let schedule = (try? scheduler).map {
            ", \($0.trainTimesteps) timesteps, predicts \($0.predictionType.rawValue)"
        }
        return [
            ("images", "\(size), \(configuration.inChannels) channels in, \(configuration.outChannels) out"),
            ("scheduler", origin.schedulerClass + (schedule ?? ", which has no noise schedule that is known here")),
        ]
    }
}

/// What a pipeline's folder says beside the network.
struct PipelineOrigin {
    let scheduler: SchedulerReading
    /// `scheduler_config.json` as it was read; nil where there was none.
    var schedulerSource: JSONValue?
    /// Where that was, for messages.
    var schedulerPath = ""
    /// nil where there was no index.
    var pipelineClass: String?

    var schedulerClass: String {
        switch scheduler {
        case .schedule(let configuration, _): configuration.schedulerClass.rawValue
        case .none(let name, _): name
        }
    }

    /// What the scheduler comes to, whatever its file leaves to defaults.
    var meaning: JSONValue {
        get throws {
            switch scheduler {
            case .schedule(let configuration, _): try JSONValue(encoding: configuration)
            case .none(let name, _): ["_class_name": .string(name)]
            }
        }
    }

    var diffusersVersion: String {
        if case .schedule(let configuration, _) = scheduler { return configuration.diffusersVersion }
        return schedulerSource?["_diffusers_version"]?.stringValue ?? SchedulerConfiguration().diffusersVersion
    }
}

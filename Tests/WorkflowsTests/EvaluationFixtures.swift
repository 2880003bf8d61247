import TestSupport
import Diffusion
import Files
import Foundation
import ModelFolders
import Models
import Runs

@testable import Workflows

/// Small models in a temporary folder of their own.
struct EvaluationFixtures {
    let folder: URL

    func url(_ name: String) -> URL { folder.appendingPathComponent(name) }

    /// Runs `body` with fixtures that are gone afterwards.
    static func with(_ body: (EvaluationFixtures) throws -> Void) throws {
        try withTemporaryFolder { try body(EvaluationFixtures(folder: $0)) }
    }

    /// A grey U-Net of random weights.
    func model(
        _ name: String, size: Int = 16, seed: UInt64 = 1, scheduler: SchedulerConfiguration = SchedulerConfiguration()
    ) throws -> URL {
        var configuration = UNetConfiguration()
        configuration.sampleSize = [size, size]
        configuration.inChannels = 1
        configuration.outChannels = 1
        configuration.downBlockTypes = ["DownBlock2D", "DownBlock2D"]
        configuration.upBlockTypes = ["UpBlock2D", "UpBlock2D"]
        configuration.blockOutChannels = [8, 16]
        configuration.layersPerBlock = 1
        configuration.normNumGroups = 4
        let model = try UNet(configuration)
        model.initialize(seed: seed)
        try PipelineFolder(url(name)).save(Pipeline(model: model, scheduler: scheduler))
        return url(name)
    }

    /// The run folder of a pruning of `model` by weights alone; the result lies in `model/`.
    func prunedRun(_ name: String, of model: URL) throws -> URL {
        let configuration = try PruningRunConfiguration(
            file: nil, overrides: ["finetuning.steps=0", "pruning.target=macs=0.6"], method: "magnitude")
        _ = try PruningWorkflow(
            configuration, pipeline: PipelineFolder(model).load(), in: RunContext(output: url(name))
        ).run()
        return url(name)
    }

    /// Settings that take a fraction of a second.
    static var settings: EvaluationSettings {
        var settings = EvaluationSettings()
        settings.count = 6
        settings.steps = 4
        settings.timestepCount = 3
        settings.timedBatch = 2
        return settings
    }
}

extension JSONValue {
    /// The member at a path of keys.
    func at(_ path: String) -> JSONValue? {
        path.split(separator: ".").reduce(self as JSONValue?) { $0?[String($1)] }
    }

    /// Without the members whose values depend on time and on what else the process does.
    var withoutMeasurements: JSONValue {
        guard case .object(var members) = self, case .object(var efficiency)? = members["efficiency"] else {
            return self
        }
        efficiency["latency_ms"] = nil
        efficiency["peak_memory_bytes"] = nil
        members["efficiency"] = .object(efficiency)
        // The date.
        members["made_by"] = nil
        return .object(members)
    }
}

import TestSupport
import Diffusion
import Files
import Foundation
import ModelFolders
import Runs
import TensorCore
import Testing

@testable import Evaluation
@testable import Workflows

@Suite struct EvaluationWorkflowTests {
    private func metrics(_ folder: URL) throws -> JSONValue {
        try JSONFile.read(folder.appendingPathComponent("metrics.json"))
    }

    @Test func aModelBesideItselfIsPerfectlyConsistent() throws {
        try EvaluationFixtures.with { fixtures in
            let model = try fixtures.model("dense")
            let result = try EvaluationWorkflow(
                EvaluationFixtures.settings, dense: LoadedPipeline(model), pruned: LoadedPipeline(model),
                in: RunContext(output: fixtures.url("out"))
            ).run()
            #expect(try #require(result.consistency.ssim).minimum == 1)
            #expect(result.consistency.meanSquaredError.maximum == 0)
            #expect(result.consistency.identicalPairs == 6)
            #expect(result.consistency.psnr.mean == PeakSignalToNoise.cap)
            #expect(result.predictions.timesteps.allSatisfy { $0.difference.maximum == 0 })
            #expect(result.predictions.timesteps.allSatisfy { $0.denseLoss == $0.prunedLoss && $0.denseLoss.mean > 0 })
            #expect(result.efficiency.parameters.ratio == 1)
            #expect(result.efficiency.macs.ratio == 1)
            #expect(result.efficiency.fileBytes.ratio == 1)
        }
    }

    @Test func aPrunedModelCostsLessAndDrawsOtherPictures() throws {
        try EvaluationFixtures.with { fixtures in
            let dense = try fixtures.model("dense")
            let pruned = try fixtures.prunedRun("run", of: dense).appendingPathComponent("model")
            let result = try EvaluationWorkflow(
                EvaluationFixtures.settings, dense: LoadedPipeline(dense), pruned: LoadedPipeline(pruned),
                in: RunContext(output: fixtures.url("out"))
            ).run()
            let record = try #require(try PipelineFolder(pruned).load().pruning)
            #expect(result.efficiency.macs.ratio == record.achieved.macs.ratio)
            #expect(result.efficiency.parameters.ratio == record.achieved.parameters.ratio)
            #expect(result.efficiency.fileBytes.ratio < 1)
            #expect(try #require(result.consistency.ssim).mean < 1)
            #expect(result.predictions.timesteps.allSatisfy { $0.difference.minimum > 0 })
            #expect(result.efficiency.batchTiming.rounds >= 9)
        }
    }

    @Test func metricsHaveEveryKeyOfTheSchema() throws {
        try EvaluationFixtures.with { fixtures in
            let model = try fixtures.model("dense")
            _ = try EvaluationWorkflow(
                EvaluationFixtures.settings, dense: LoadedPipeline(model), pruned: LoadedPipeline(model),
                in: RunContext(output: fixtures.url("out"))
            ).run()
            let json = try metrics(fixtures.url("out"))
            #expect(json.at("schema")?.intValue == 1)
            #expect(json.at("count")?.intValue == 6)
            #expect(json.at("seed")?.intValue == 0)
            #expect(json.at("sampler.name")?.stringValue == "ddim")
            #expect(json.at("sampler.steps")?.intValue == 4)
            for metric in ["ssim", "psnr", "mse"] {
                #expect(json.at("consistency.\(metric).mean")?.doubleValue != nil, "\(metric)")
                #expect(json.at("consistency.\(metric).std")?.doubleValue != nil, "\(metric)")
                #expect(json.at("consistency.\(metric).ci95")?.arrayValue?.count == 2, "\(metric)")
            }
            let byTimestep = try #require(json.at("consistency.epsilon_mse_by_timestep")?.arrayValue)
            #expect(byTimestep.map { $0["timestep"]?.intValue } == [166, 500, 833])
            #expect(byTimestep.allSatisfy { $0["mse"]?.doubleValue != nil })
            for quantity in ["parameters", "macs", "latency_ms", "peak_memory_bytes", "file_bytes"] {
                for key in ["dense", "pruned", "ratio"] {
                    let value = try #require(json.at("efficiency.\(quantity).\(key)")?.doubleValue)
                    #expect(value > 0, "\(quantity).\(key)")
                }
            }
            // Without data there is no reference: null, and why.
            for key in ["dense", "pruned", "feature_net", "reference"] {
                #expect(json.at("quality.frechet_distance.\(key)")?.isNull == true)
            }
            #expect(json.at("quality.frechet_distance.reason")?.stringValue == "no data set was given")
        }
    }

    @Test func metricsDependNeitherOnTheBatchSizeNorOnTheRun() throws {
        try EvaluationFixtures.with { fixtures in
            let dense = try fixtures.model("dense", size: 32)
            let pruned = try fixtures.prunedRun("run", of: dense).appendingPathComponent("model")
            var settings = EvaluationFixtures.settings
            settings.data.path = Repository.url("Samples/fashion-mnist").path
            settings.data.split = .test
            settings.features = Repository.url("Samples/models/fashion-features")
            settings.predictionImages = 5
            let runs = try [16, 16, 4].enumerated().map { index, batch in
                settings.batchSize = batch
                let output = fixtures.url("out\(index)")
                _ = try EvaluationWorkflow(
                    settings, dense: LoadedPipeline(dense), pruned: LoadedPipeline(pruned),
                    in: RunContext(output: output)
                ).run()
                return (
                    try metrics(output).withoutMeasurements,
                    try Data(contentsOf: output.appendingPathComponent("grid.png"))
                )
            }
            #expect(runs[0].0.at("quality.frechet_distance.dense")?.doubleValue != nil)
            #expect(runs[1].0 == runs[0].0)
            #expect(runs[2].0 == runs[0].0)
            #expect(runs.allSatisfy { $0.1 == runs[0].1 })
        }
    }

    @Test func frechetDistancesAreMeasuredAgainstTheData() throws {
        try EvaluationFixtures.with { fixtures in
            let model = try fixtures.model("dense", size: 32)
            var settings = EvaluationFixtures.settings
            settings.data.path = Repository.url("Samples/fashion-mnist").path
            settings.features = Repository.url("Samples/models/fashion-features")
            settings.referenceImages = 300
            let result = try EvaluationWorkflow(
                settings, dense: LoadedPipeline(model), pruned: LoadedPipeline(model),
                in: RunContext(output: fixtures.url("out"))
            )
            .run()
            guard case .measured(let distances) = result.quality else {
                Issue.record("no distance was measured")
                return
            }
            #expect(distances.dense == distances.pruned)
            #expect(distances.denseToPruned < 1e-6)
            #expect(distances.referenceCount == 300)
            #expect(distances.featureNet == "fashion-classifier-64")
            // An untrained model draws noise: further off than real images are.
            #expect(distances.dense > 2 * (try #require(distances.realImages)))
            #expect(result.warnings.contains { $0.hasPrefix("only 6 pictures of each model for 64-dimensional") })
        }
    }

    @Test func predictionErrorsAreTheObjectivesOwn() throws {
        try EvaluationFixtures.with { fixtures in
            let dense = try PipelineFolder(fixtures.model("a")).load()
            let pruned = try PipelineFolder(fixtures.model("b", seed: 2)).load()
            let objective = try DenoisingObjective(dense.scheduler)
            let clean = Tensor((0..<(2 * 256)).map { Float($0 % 17) / 8 - 1 }, shape: [2, 16, 16, 1])
            let errors = try NoisePredictionErrors(
                dense: dense.model, pruned: pruned.model, objective: objective, clean: clean, classes: nil,
                timesteps: [300], seed: 5, batchSize: 2)
            let noise = Tensor(uninitialized: clean.shape)
            for image in 0..<2 {
                var stream = RandomStream(seed: 5, purpose: "evaluation-noise", index: UInt64(image))
                stream.fillNormal(noise.rows(image..<(image + 1)).unsafeBuffer)
            }
            let batch = DenoisingBatch(clean: clean, noise: noise, timesteps: [300, 300])
            let entry = errors.timesteps[0]
            let losses = [dense, pruned].map { pipeline in
                Autograd.withoutRecording { Double(objective.loss(of: pipeline.model, batch).value.scalar) }
            }
            #expect(abs(entry.denseLoss.mean / losses[0] - 1) < 1e-5)
            #expect(abs(entry.prunedLoss.mean / losses[1] - 1) < 1e-5)
            let imitation = Autograd.withoutRecording {
                objective.loss(of: pruned.model, batch, teacher: dense.model, distillation: 1).value.scalar
            }
            #expect(abs(entry.difference.mean / Double(imitation) - 1) < 1e-5)
        }
    }

    @Test func modelsThatCannotBeComparedAreRefused() throws {
        try EvaluationFixtures.with { fixtures in
            let dense = try fixtures.model("dense")
            let output = fixtures.url("out")
            func refusal(_ pruned: URL, _ settings: EvaluationSettings = EvaluationFixtures.settings) -> String {
                do {
                    _ = try EvaluationWorkflow(
                        settings, dense: LoadedPipeline(dense), pruned: LoadedPipeline(pruned),
                        in: RunContext(output: output)
                    ).run()
                    return ""
                } catch {
                    return "\(error)"
                }
            }
            #expect(refusal(try fixtures.model("large", size: 32)).contains("the image size is 16×16"))
            var other = SchedulerConfiguration()
            other.trainTimesteps = 500
            #expect(refusal(try fixtures.model("short", scheduler: other)).contains("training timesteps is 1000"))
            other = SchedulerConfiguration()
            other.betaEnd = 0.01
            #expect(refusal(try fixtures.model("beta", scheduler: other)).contains("the noise schedule"))
            other = SchedulerConfiguration()
            other.predictionType = .velocity
            #expect(refusal(try fixtures.model("velocity", scheduler: other)).contains("prediction_type"))
            var settings = EvaluationFixtures.settings
            settings.count = 0
            #expect(refusal(dense, settings).contains("'count' is 0"))
            settings = EvaluationFixtures.settings
            settings.classes = .one(3)
            #expect(refusal(dense, settings).contains("expected none"))
            settings = EvaluationFixtures.settings
            settings.data.path = Repository.url("Samples/fashion-mnist").path
            settings.features = Repository.url("Samples/models/fashion-features")
            #expect(refusal(dense, settings).contains("takes pictures of 32×32×1, expected 16×16×1"))
            // A refused evaluation leaves nothing.
            #expect(!FileManager.default.fileExists(atPath: output.path))
        }
    }

    @Test func imagesTooSmallForSSIMHaveNone() throws {
        try EvaluationFixtures.with { fixtures in
            let model = try fixtures.model("dense", size: 8)
            let result = try EvaluationWorkflow(
                EvaluationFixtures.settings, dense: LoadedPipeline(model), pruned: LoadedPipeline(model),
                in: RunContext(output: fixtures.url("out"))
            ).run()
            #expect(result.consistency.ssim == nil)
            #expect(try metrics(fixtures.url("out")).at("consistency.ssim")?.isNull == true)
            #expect(result.warnings.count == 1)
        }
    }
}

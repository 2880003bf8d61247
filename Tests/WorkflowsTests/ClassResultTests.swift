import TestSupport
import Diffusion
import Files
import Foundation
import Imagery
import ModelFolders
import Models
import Runs
import Testing

@testable import Workflows

/// Comparisons of class-conditional models.
@Suite struct ClassResultTests {
    private func conditional(_ fixtures: EvaluationFixtures, classes: Int = 10, size: Int = 32) throws -> URL {
        let plain = try PipelineFolder(fixtures.model("plain-\(classes)-\(size)", size: size)).load()
        var configuration = plain.model.configuration
        configuration.numClassEmbeds = classes
        let model = try UNet(configuration)
        model.initialize(seed: 3)
        let url = fixtures.url("conditional-\(classes)-\(size)")
        try PipelineFolder(url).save(Pipeline(model: model, scheduler: plain.scheduler))
        return url
    }

    private func evaluate(
        _ fixtures: EvaluationFixtures, _ model: URL, _ name: String, _ change: (inout EvaluationSettings) -> Void
    ) throws -> EvaluationResult {
        var settings = EvaluationFixtures.settings
        settings.data.path = Repository.url("Samples/fashion-mnist").path
        settings.data.split = .test
        settings.features = Repository.url("Samples/models/fashion-features")
        settings.steps = 2
        change(&settings)
        return try EvaluationWorkflow(
            settings, dense: LoadedPipeline(model), pruned: LoadedPipeline(model),
            in: RunContext(output: fixtures.url(name))
        ).run()
    }

    @Test func theReferenceHasTheClassesThatAreDrawn() throws {
        try EvaluationFixtures.with { fixtures in
            let model = try conditional(fixtures)
            // Fifty test pictures of each of ten classes; none is set aside, as the pictures drawn are too many for
            // that.
            func count(_ name: String, _ change: (inout EvaluationSettings) -> Void) throws -> Int? {
                let result = try evaluate(fixtures, model, name) {
                    $0.count = 130
                    $0.steps = 1
                    $0.timestepCount = 1
                    $0.predictionImages = 2
                    change(&$0)
                }
                guard case .measured(let distances) = result.quality else { return nil }
                return distances.referenceCount
            }
            #expect(try count("all") { _ in } == 500)
            #expect(try count("one") { $0.classes = .one(4) } == 50)
            #expect(
                try count("few") {
                    $0.count = 3
                    $0.classes = .all
                } == 147)
        }
    }

    @Test func classesAreMeanOverTheirPictures() throws {
        try EvaluationFixtures.with { fixtures in
            let model = try conditional(fixtures, classes: 3, size: 16)
            let run = try fixtures.prunedRun("run", of: model).appendingPathComponent("model")
            var settings = EvaluationFixtures.settings
            settings.count = 7
            let result = try EvaluationWorkflow(
                settings, dense: LoadedPipeline(model), pruned: LoadedPipeline(run),
                in: RunContext(output: fixtures.url("out"))
            ).run()
            #expect(result.byClass.map(\.label) == [0, 1, 2])
            #expect(result.byClass.map(\.consistency.psnr.count) == [3, 2, 2])
            // The mean over pictures is that over classes by their counts, of the ε-error too.
            func mean(_ values: [Double?]) -> Double {
                zip(values, [3.0, 2, 2]).reduce(0) { $0 + ($1.0 ?? .nan) * $1.1 } / 7
            }
            let psnr = mean(result.byClass.map(\.consistency.psnr.mean))
            #expect(abs(psnr - result.consistency.psnr.mean) < 1e-9)
            let ssim = mean(result.byClass.map { $0.consistency.ssim?.mean })
            #expect(abs(ssim - (result.consistency.ssim?.mean ?? .nan)) < 1e-9)
            let errors = mean(result.byClass.map { $0.predictions?.mean })
            let timesteps = result.predictions.timesteps.map(\.difference.mean)
            #expect(abs(errors - timesteps.reduce(0, +) / Double(timesteps.count)) < 1e-9 * abs(errors) + 1e-15)
            #expect(result.summary.contains("by class"))
        }
    }

    @Test func picturesOfOneClassNeedDataWithClasses() throws {
        try EvaluationFixtures.with { fixtures in
            let model = try conditional(fixtures)
            let flat = fixtures.url("flat")
            try FileManager.default.createDirectory(at: flat, withIntermediateDirectories: false)
            for number in 0..<3 {
                try PNG.write(
                    Image(width: 32, height: 32, channels: 1, filledWith: .white),
                    to: flat.appendingPathComponent("\(number).png"))
            }
            let result = try evaluate(fixtures, model, "out") {
                $0.data.path = flat.path
                $0.data.split = .train
                $0.classes = .one(2)
            }
            guard case .unavailable(let reason, let remedy) = result.quality else {
                Issue.record("expected no distance")
                return
            }
            #expect(reason.contains("the data have no classes") && remedy?.contains("--class all") == true)
        }
    }

    @Test func modelsOfDifferentNumbersOfClassesAreNotCompared() throws {
        try EvaluationFixtures.with { fixtures in
            let (ten, three) = (
                try conditional(fixtures, size: 16), try conditional(fixtures, classes: 3, size: 16)
            )
            let error = #expect(throws: EvaluationError.self) {
                try EvaluationWorkflow(
                    EvaluationFixtures.settings, dense: LoadedPipeline(ten), pruned: LoadedPipeline(three),
                    in: RunContext(output: fixtures.url("out"))
                ).run()
            }
            #expect(error.map { "\($0)".contains("10 classes") && "\($0)".contains("3 classes") } == true)
        }
    }
}

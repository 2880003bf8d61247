import Diffusion
import Foundation
import Imagery
import ModelFolders
import Models
import Runs
import TestSupport
import Testing

@testable import Workflows

/// Which bundled feature net judges the pictures of a model, where none is named.
@Suite struct FeatureChoiceTests {
    private func model(size: Int, channels: Int) throws -> UNet {
        var configuration = UNetConfiguration()
        configuration.sampleSize = [size, size]
        configuration.inChannels = channels
        configuration.outChannels = channels
        configuration.downBlockTypes = ["DownBlock2D", "DownBlock2D"]
        configuration.upBlockTypes = ["UpBlock2D", "UpBlock2D"]
        configuration.blockOutChannels = [8, 16]
        configuration.layersPerBlock = 1
        configuration.normNumGroups = 4
        let model = try UNet(configuration)
        model.initialize(seed: 1)
        return model
    }

    private func choice(size: Int, channels: Int, features: URL? = nil) throws -> FeatureChoice {
        var settings = EvaluationSettings()
        settings.data.path = "pictures"
        settings.features = features
        return try FeatureChoice(settings, for: model(size: size, channels: channels))
    }

    @Test(arguments: [(1, "fashion-classifier-64"), (3, "emoji-classifier-64")])
    func theBundledNetForThePicturesIsTaken(channels: Int, name: String) throws {
        guard case .net(let net) = try choice(size: 32, channels: channels) else {
            Issue.record("no net for \(channels) channels")
            return
        }
        #expect(net.name == name)
    }

    @Test func whereNoneFitsTheReasonSaysWhatTheyTake() throws {
        guard case .none(let reason, let remedy) = try choice(size: 16, channels: 3) else {
            Issue.record("a net was taken that resizes or fails")
            return
        }
        #expect(reason.contains("the bundled feature nets take pictures of 32×32×1 or 32×32×3, not 16×16×3"))
        #expect(remedy?.contains("diffprune train-features") == true)
    }

    @Test func aNetNamedForOtherPicturesIsRefused() throws {
        let grey = Repository.url("Samples/models/fashion-features")
        #expect {
            try choice(size: 32, channels: 3, features: grey)
        } throws: {
            "\($0)".contains("takes pictures of 32×32×1, expected 32×32×3")
        }
    }

    /// From folders to the terminal and the report.
    @Test func aColourModelIsJudgedInTheColourNet() throws {
        try withTemporaryFolder { folder in
            let data = folder.appendingPathComponent("emoji")
            try FileManager.default.createDirectory(at: data, withIntermediateDirectories: false)
            for (index, image) in try ColorFeatureFixtures.images().enumerated() {
                try PNG.write(image, to: data.appendingPathComponent("\(1000 + index).png"))
            }
            let stored = folder.appendingPathComponent("model")
            try PipelineFolder(stored).save(
                Pipeline(model: model(size: 32, channels: 3), scheduler: SchedulerConfiguration()))
            var settings = EvaluationFixtures.settings
            settings.data.path = data.path
            let output = folder.appendingPathComponent("out")
            let result = try EvaluationWorkflow(
                settings, dense: LoadedPipeline(stored), pruned: LoadedPipeline(stored),
                in: RunContext(output: output)
            ).run()
            guard case .measured(let distances) = result.quality else {
                Issue.record("no distance was measured")
                return
            }
            #expect(distances.featureNet == "emoji-classifier-64")
            // An untrained model draws noise: further off than real pictures are.
            #expect(distances.dense > 2 * (try #require(distances.realImages)))
            let line = result.summary.split(separator: "\n").first { $0.contains("Fréchet") }
            #expect(line?.contains("real images, in emoji-classifier-64") == true)
            let page = try String(contentsOf: output.appendingPathComponent("report.html"), encoding: .utf8)
            #expect(page.contains("emoji-classifier-64"))
        }
    }
}

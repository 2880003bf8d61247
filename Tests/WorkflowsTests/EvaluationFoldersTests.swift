import Files
import Foundation
import Imagery
import ModelFolders
import Runs
import Testing

@testable import Workflows

@Suite struct EvaluationFoldersTests {
    private func write(_ images: [String: Image], to folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (name, image) in images { try PNG.write(image, to: folder.appendingPathComponent(name)) }
    }

    private func grey(_ level: UInt8, size: Int = 16) -> Image {
        Image(width: size, height: size, channels: 1, filledWith: RGBColor(level, level, level))
    }

    private func refusal(_ fixtures: EvaluationFixtures) -> String {
        do {
            _ = try PairedFoldersWorkflow(
                dense: fixtures.url("a"), pruned: fixtures.url("b"), in: RunContext(output: fixtures.url("out"))
            ).run()
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func foldersGiveTheNumbersOfTheModelsThatDrewThem() throws {
        try EvaluationFixtures.with { fixtures in
            let dense = try fixtures.model("dense")
            let pruned = try fixtures.prunedRun("run", of: dense).appendingPathComponent("model")
            var settings = EvaluationFixtures.settings
            settings.savesImages = true
            let result = try EvaluationWorkflow(
                settings, dense: LoadedPipeline(dense), pruned: LoadedPipeline(pruned),
                in: RunContext(output: fixtures.url("out"))
            ).run()
            let images = fixtures.url("out").appendingPathComponent("images")
            let summary = try PairedFoldersWorkflow(
                dense: images.appendingPathComponent("dense"), pruned: images.appendingPathComponent("pruned"),
                in: RunContext(output: fixtures.url("pairs"))
            ).run()
            #expect(summary.ssim == result.consistency.ssim)
            #expect(summary.psnr == result.consistency.psnr)
            #expect(summary.meanSquaredError == result.consistency.meanSquaredError)
            let json = try JSONFile.read(fixtures.url("pairs").appendingPathComponent("metrics.json"))
            #expect(json.at("consistency.ssim.mean")?.doubleValue == result.consistency.ssim?.mean)
            #expect(json.at("efficiency") == nil)
        }
    }

    @Test func knownPicturesGiveKnownNumbers() throws {
        try EvaluationFixtures.with { fixtures in
            try write(["x.png": grey(0), "y.png": grey(100)], to: fixtures.url("a"))
            try write(["x.png": grey(51), "y.png": grey(100)], to: fixtures.url("b"))
            let summary = try PairedFoldersWorkflow(
                dense: fixtures.url("a"), pruned: fixtures.url("b"), in: RunContext(output: fixtures.url("out"))
            ).run()
            // Pairs of MSE 0.2² and 0.
            #expect(abs(summary.meanSquaredError.mean - 0.02) < 1e-12)
            #expect(summary.identicalPairs == 1)
            #expect(summary.psnr.maximum == 100)
        }
    }

    @Test func namesMustMatch() throws {
        try EvaluationFixtures.with { fixtures in
            try write(["x.png": grey(0), "y.png": grey(0)], to: fixtures.url("a"))
            try write(["x.png": grey(0)], to: fixtures.url("b"))
            #expect(refusal(fixtures).contains("without a counterpart"))
            #expect(refusal(fixtures).contains("y.png"))
            try write(["y.png": grey(0), "z.png": grey(0)], to: fixtures.url("b"))
            #expect(refusal(fixtures).contains("z.png"))
            #expect(!FileManager.default.fileExists(atPath: fixtures.url("out").path))
        }
    }

    @Test func foldersThatHoldNoUsablePicturesAreRefused() throws {
        try EvaluationFixtures.with { fixtures in
            #expect(refusal(fixtures).contains("can be listed"))
            try write([:], to: fixtures.url("a"))
            try write(["x.png": grey(0)], to: fixtures.url("b"))
            #expect(refusal(fixtures).contains("no PNG files"))
            try write(["x.png": grey(0, size: 17)], to: fixtures.url("a"))
            #expect(refusal(fixtures).contains("17×17"))
            try Data("no picture".utf8).write(to: fixtures.url("a").appendingPathComponent("x.png"))
            #expect(refusal(fixtures).contains("x.png"))
            #expect(!FileManager.default.fileExists(atPath: fixtures.url("out").path))
        }
    }
}

import Foundation
import Testing

/// `evaluate` from the shell: two models, and two folders of pictures.
@Suite struct EvaluateTests {
    @Test func aPrunedModelIsComparedWithItsDenseOne() throws {
        let tiny = try TinyRun()
        let scratch = tiny.scratch
        #expect(try Tool.run(tiny.train(to: "dense", "--set", "training.steps=3")).status == 0)
        #expect(
            try Tool.run(tiny.prune("dense/model", to: "pruned", "finetuning.steps=6")).status == 0)
        let result = try Tool.run(
            "evaluate", "--dense", scratch.path("dense/model"), "--pruned", scratch.path("pruned/model"), "--output",
            scratch.path("comparison"), "--count", "4", "--steps", "3", "--seed", "5", "--sampler", "ddpm", "--data",
            tiny.images, "--batch-size", "3", "--save-images", "--threads", "1", "--quiet")
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("PSNR") && result.output.contains("report.html"))
        let metrics = try #require(
            try JSONSerialization.jsonObject(with: scratch.data("comparison/metrics.json")) as? [String: Any])
        #expect(metrics["count"] as? Int == 4 && metrics["seed"] as? Int == 5)
        let efficiency = try #require(metrics["efficiency"] as? [String: [String: Any]])
        for name in ["parameters", "macs", "latency_ms", "peak_memory_bytes", "file_bytes"] {
            #expect((efficiency[name]?["ratio"] as? Double).map { $0 > 0 } == true, "\(name)")
        }
        #expect((efficiency["macs"]?["ratio"] as? Double).map { $0 <= 0.5 } == true)

        let pictures = try Tool.run(
            "evaluate", "--dense-images", scratch.path("comparison/images/dense"), "--pruned-images",
            scratch.path("comparison/images/pruned"), "--output", scratch.path("pictures"), "--json", "--quiet")
        #expect(pictures.status == 0, "\(pictures.errors)")
        let again = try #require(
            try JSONSerialization.jsonObject(with: Data(pictures.output.utf8)) as? [String: Any])
        // Eight pixels are too few for SSIM's window.
        func error(_ metrics: [String: Any]) -> Double? {
            ((metrics["consistency"] as? [String: Any])?["mse"] as? [String: Any])?["mean"] as? Double
        }
        #expect(error(again) != nil && error(again) == error(metrics))
    }

    @Test func aMistypedOptionIsNamed() throws {
        let scratch = try Scratch()
        let result = try Tool.run("evaluate", "--dense", "a", "--prunned", "b", "--output", scratch.path("out"))
        #expect(result.status == 64 && result.complaints.count == 1)
        #expect(result.errors.contains("did you mean '--pruned'?"))
        #expect(!scratch.exists("out"))
    }
}

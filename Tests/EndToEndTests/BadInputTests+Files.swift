import Foundation
import Testing

/// What stands where a file is expected and is none.
extension BadInputTests {
    private static let kinds: [(name: String, make: @Sendable (String) throws -> Void)] = [
        ("a folder", { try FileManager.default.createDirectory(atPath: $0, withIntermediateDirectories: false) }),
        ("a pipe", { mkfifo($0, 0o600) }),
        ("no end of zeros", { symlink("/dev/zero", $0) }),
        ("a link to nothing", { symlink("nowhere", $0) }),
        ("a link to itself", { symlink(($0 as NSString).lastPathComponent, $0) }),
        ("nothing at all in it", { _ = FileManager.default.createFile(atPath: $0, contents: nil) }),
    ]

    /// None of them may be waited for, read without end, or taken for a file that was left out.
    @Test(arguments: [
        "unet/config.json", "unet/diffusion_pytorch_model.safetensors", "scheduler/scheduler_config.json",
        "pruning.json",
    ]) func modelFilesThatAreNone(file: String) throws {
        for (number, kind) in Self.kinds.enumerated() {
            let url = try copy("model-\(number)").appendingPathComponent(file)
            try? FileManager.default.removeItem(at: url)
            try kind.make(url.path)
            try expectRefused(
                ["info", "--model", scratch.path("model-\(number)")], status: 65, saying: url.lastPathComponent)
        }
    }

    @Test func inputsThatAreNone() throws {
        let tiny = try TinyRun()
        for (number, kind) in Self.kinds.enumerated() {
            let path = scratch.path("input-\(number)")
            try kind.make(path)
            let commands: [(Int32, [String])] = [
                (65, ["predict", "--model", model, "--input", path]),
                (65, ["sample", "--model", model, "--noise", path]),
                (65, ["score", "--model", model, "--criterion", "taylor", "--batch", path]),
                (64, ["train", "--config", path]),
                (65, ["train", "--config", tiny.configuration, "--set", "data.path=\(path)"]),
                (65, ["evaluate", "--dense-images", path, "--pruned-images", path]),
            ]
            for (status, arguments) in commands {
                // An empty configuration is one; what it lacks is named.
                let isEmpty = status == 64 && kind.name == "nothing at all in it"
                try expectRefused(
                    arguments + ["--output", out, "--quiet"], status: status, saying: isEmpty ? "path'" : path)
            }
            try expectRefused(["bench", "--architecture", path, "--quiet"], status: 65, saying: path)
        }
    }

    /// No memory is taken for a model that is not there: this one would fill six gigabytes.
    @Test func aConfigurationFarLargerThanItsWeights() throws {
        let url = try copy().appendingPathComponent("unet/config.json")
        let text = try String(contentsOf: url, encoding: .utf8)
        let start = try #require(text.range(of: "\"block_out_channels\": [")?.upperBound)
        let end = try #require(text[start...].firstIndex(of: "]"))
        try Data((text[..<start] + "4096, 4096" + text[end...]).utf8).write(to: url)
        try expectRefused(
            ["info", "--model", scratch.path("model")], status: 65,
            saying: "tensor 'down_blocks.0.resnets.0.conv2.weight' has shape [4, 4, 3, 3], expected [4096, 4096, 3, 3]")
    }

    /// A scheduler of ten thousand unknown keys is read, with a screenful of warnings.
    @Test func warningsAreNotWithoutEnd() throws {
        let url = try copy().appendingPathComponent("scheduler/scheduler_config.json")
        let keys = (0..<10_000).map { "\"k\($0)\": 1" }.joined(separator: ", ")
        try Data("{\(keys)}".utf8).write(to: url)
        let result = try Tool.run("info", "--model", scratch.path("model"))
        #expect(result.status == 0 && result.complaints.count == 21)
        #expect(result.complaints.last?.contains("9980 more") == true, "\(result.complaints.last ?? "")")
    }
}

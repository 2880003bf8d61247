import Foundation
import Testing

/// Under any limit of the system the tool ends: with its work done, or with one `error:` line and nothing left.
@Suite struct LimitTests {
    private let model = Tool.fixture("unet/plain")

    /// - Parameter isRun: whether what was done may stay, to be resumed.
    private func expectOrderlyEnd(
        _ arguments: [String], _ shell: String, in scratch: Scratch, isRun: Bool = false,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Tool.Result {
        let before = try scratch.contents()
        let result = try Tool.run(arguments, shell: shell)
        // Loading the program itself is the system's affair.
        if result.status == 127, result.errors.contains("shared libraries") { return result }
        guard result.status != 0 else { return result }
        let lines = result.errors.split(separator: "\n").filter { !$0.hasPrefix("warning:") }
        let what = "\(shell): \(arguments.prefix(3)): \(result.status) \(result.errors)"
        // A configuration that cannot be read counts as usage.
        let expected: [Int32] = result.errors.contains(".yaml") ? [64, 65] : [65]
        #expect(expected.contains(result.status) && lines.count == 1, "\(what)", sourceLocation: sourceLocation)
        #expect(lines.first?.hasPrefix("error: ") == true, "\(what)", sourceLocation: sourceLocation)
        let left = try scratch.contents().filter { !before.contains($0) }
        #expect(
            isRun ? left.allSatisfy { !$0.contains("/.") } : left == [], "\(what): \(left)",
            sourceLocation: sourceLocation)
        return result
    }

    private func commands(_ tiny: TinyRun) -> [(arguments: [String], isRun: Bool)] {
        let out = tiny.scratch.path("out")
        return [
            (["--help"], false),
            (["info", "--model", model], false),
            (
                ["sample", "--model", model, "--output", out, "--count", "512", "--steps", "2", "--batch-size", "512"],
                false
            ),
            (["prune", "--model", model, "--output", out, "--method", "magnitude", "--finetune-steps", "0"], true),
            (tiny.train(to: "out", "--set", "training.steps=2"), true),
        ].map { ($0.0 + ($0.0.count > 1 ? ["--quiet"] : []), $0.1) }
    }

    /// Kilobytes of address space, from where the program can just be loaded.
    @Test(arguments: [120_000, 150_000, 204_800, 260_000, 300_000, 400_000, 3_000_000])
    func addressSpace(kilobytes: Int) throws {
        let tiny = try TinyRun()
        var statuses: [Int32] = []
        for (arguments, isRun) in commands(tiny) {
            try? FileManager.default.removeItem(atPath: tiny.scratch.path("out"))
            statuses.append(
                try expectOrderlyEnd(arguments, "ulimit -v \(kilobytes)", in: tiny.scratch, isRun: isRun).status)
        }
        if kilobytes > 1_000_000 { #expect(statuses.allSatisfy { $0 == 0 }) }
        if kilobytes >= 204_800 { #expect(statuses[0] == 0 && statuses[1] == 0) }
    }

    @Test func memoryThatRunsOutIsSaid() throws {
        let tiny = try TinyRun()
        let before = try tiny.scratch.contents()
        let train = tiny.train(to: "new/run", "--set", "training.steps=2", "training.batch_size=4096")
        let result = try Tool.run(train, shell: "ulimit -v 300000")
        #expect(result.status == 65 && result.errors.hasPrefix("error: not enough memory: "), "\(result.errors)")
        #expect(result.errors.split(separator: "\n").count == 1)
        #expect(try tiny.scratch.contents() == before)
    }

    /// A record of pruning may claim that nothing was pruned, of a model far larger than its file.
    @Test func aRecordThatClaimsMoreThanTheWeightsHoldIsRefused() throws {
        let scratch = try Scratch()
        let copy = scratch.url.appendingPathComponent("model")
        try FileManager.default.copyItem(at: URL(fileURLWithPath: model), to: copy)
        let file = copy.appendingPathComponent("unet/config.json")
        var json = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        let levels = try #require(json["block_out_channels"] as? [Int]).count
        json["block_out_channels"] = Array(repeating: 1024, count: levels)
        try JSONSerialization.data(withJSONObject: json).write(to: file)
        let zero = "{\"dense\": 1, \"pruned\": 1, \"ratio\": 1}"
        try scratch.write(
            """
            {"schema": 1, "method": "magnitude", "seed": 0, "configuration": "", "groups": [],
             "asked": {"quantity": "macs", "value": 1},
             "achieved": {"macs": \(zero), "parameters": \(zero), "channels": \(zero)}}
            """, to: "model/pruning.json")
        let before = try scratch.contents()
        let result = try Tool.run(["info", "--model", copy.path])
        #expect(result.status == 65 && result.errors.contains("tensor '"), "\(result.errors)")
        #expect(try scratch.contents() == before)
    }

    /// Open files: 3 are the standard streams.
    @Test(arguments: [3, 4, 5, 6, 8, 12]) func openFiles(count: Int) throws {
        let tiny = try TinyRun()
        for (arguments, isRun) in commands(tiny) {
            try? FileManager.default.removeItem(atPath: tiny.scratch.path("out"))
            let result = try expectOrderlyEnd(arguments, "ulimit -n \(count)", in: tiny.scratch, isRun: isRun)
            let isSaid = result.errors.contains("Too many open files")
            #expect(result.status == 0 || result.status == 127 || isSaid, "\(count): \(result.errors)")
        }
    }

    @Test(arguments: [64, 128, 512]) func stack(kilobytes: Int) throws {
        let tiny = try TinyRun()
        for (arguments, isRun) in commands(tiny) {
            try? FileManager.default.removeItem(atPath: tiny.scratch.path("out"))
            #expect(
                try expectOrderlyEnd(arguments, "ulimit -s \(kilobytes)", in: tiny.scratch, isRun: isRun).status == 0)
        }
    }

    /// Standard streams that are closed, full or left by their reader.
    @Test(arguments: ["exec >&-", "exec 2>&-", "exec <&-", "exec >&- 2>&- <&-", "exec >/dev/full", "exec > >(true)"])
    func standardStreams(shell: String) throws {
        let scratch = try Scratch()
        let result = try Tool.run(["info", "--model", model], shell: shell)
        #expect(result.status == (shell.contains("full") ? 65 : 0), "\(shell): \(result.errors)")
        let sampled = try Tool.run(
            ["sample", "--model", model, "--output", scratch.path("out"), "--count", "2", "--steps", "1"], shell: shell)
        #expect(sampled.status == (shell.contains("full") ? 65 : 0), "\(shell): \(sampled.errors)")
        if !shell.contains("full") { #expect(try scratch.contents().contains("out/grid.png")) }
    }

    @Test func aWorkingFolderThatIsGone() throws {
        let scratch = try Scratch()
        let gone = scratch.path("gone")
        let shell = "mkdir '\(gone)'; cd '\(gone)'; rmdir '\(gone)'"
        #expect(try Tool.run(["info", "--model", model], shell: shell).status == 0)
        for arguments in [["info", "--model", "model"], ["sample", "--model", model, "--output", "out"]] {
            _ = try expectOrderlyEnd(arguments, shell, in: scratch)
        }
    }
}

import Files
import Foundation
import Testing

/// Nothing but a command's own output is touched, whatever stands where it is to be, and whoever else writes there.
@Suite struct OutputSafetyTests {
    private let model = Tool.fixture("unet/plain")

    // MARK: two at once

    /// Starts two equal commands at once; one does the work, the other is told why not.
    private func expectOneOfTwo(
        _ arguments: [String], output: String, in scratch: Scratch, rounds: Int = 8,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for round in 0..<rounds {
            try? FileManager.default.removeItem(atPath: scratch.path(output))
            let captures = [try Scratch(), try Scratch()]
            let processes = try captures.map { try Tool.start(arguments, in: $0) }
            processes.forEach { $0.waitUntilExit() }
            let statuses = processes.map(\.terminationStatus)
            let errors = try captures.map { try $0.text("stderr") }
            let refused = statuses.firstIndex { $0 != 0 }
            #expect(statuses.contains(0), "round \(round): \(errors)", sourceLocation: sourceLocation)
            let index = try #require(refused, "both did it", sourceLocation: sourceLocation)
            let isTold = ["another process is writing it", "already holds something"].contains {
                errors[index].contains($0)
            }
            #expect(
                isTold && errors[index].split(separator: "\n").count == 1, "\(errors)", sourceLocation: sourceLocation)
        }
    }

    @Test func ofTwoStartsIntoOneFolderOneRuns() throws {
        let tiny = try TinyRun()
        let scratch = tiny.scratch
        try expectOneOfTwo(tiny.train(to: "new/run", "--set", "training.steps=2"), output: "new", in: scratch)
        #expect(scratch.exists("new/run/model/unet/config.json"))
        try expectOneOfTwo(
            ["sample", "--model", model, "--output", scratch.path("images"), "--count", "2", "--steps", "1"],
            output: "images", in: scratch)
        #expect(scratch.exists("images/grid.png"))
        try expectOneOfTwo(
            [
                "evaluate", "--dense", model, "--pruned", model, "--output", scratch.path("e"), "--count", "2",
                "--steps",
                "1", "--quiet",
            ], output: "e", in: scratch, rounds: 3)
        #expect(scratch.exists("e/report.html"))
    }

    // MARK: links

    @Test(arguments: ["model", "metrics.jsonl", "samples", "checkpoints", "config.yaml", "run.json"])
    func aResumedRunStaysInItsFolder(name: String) throws {
        let tiny = try TinyRun()
        let scratch = tiny.scratch
        let run = tiny.train(to: "run", "--set", "training.steps=20", "training.sample_every=10")
        #expect(try Tool.run(run).status == 0)
        // What is linked is what was there, so that the run could go on, and something precious.
        try FileManager.default.moveItem(atPath: scratch.path("run/\(name)"), toPath: scratch.path("elsewhere"))
        let isFolder = !name.contains(".")
        if isFolder { try scratch.write("precious", to: "elsewhere/precious") }
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path("run/\(name)"), withDestinationPath: scratch.path("elsewhere"))
        let before = try scratch.contents()
        let content = isFolder ? Data() : try scratch.data("elsewhere")
        let longer = tiny.train(
            to: "run", "--resume", "--set", "training.steps=40", "training.sample_every=10")
        for resumed in [run + ["--resume"], longer] {
            let result = try Tool.run(resumed)
            #expect(result.status == 65, "\(result.errors)")
            #expect(result.errors.contains("run/\(name): it is a symbolic link"), "\(result.errors)")
            #expect(try scratch.contents() == before)
            if !isFolder { #expect(try scratch.data("elsewhere") == content) }
        }
    }

    /// As `cp -al` makes a cheap copy of a run.
    @Test func aCopyOfARunByHardLinksStaysAsItWas() throws {
        let tiny = try TinyRun()
        let scratch = tiny.scratch
        func run(_ steps: Int) -> [String] {
            tiny.train(to: "run", "--resume", "--set", "training.steps=\(steps)", "training.sample_every=10")
        }
        #expect(try Tool.run(run(20)).status == 0)
        let files = try scratch.contents().filter { path in
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: scratch.path(path), isDirectory: &isFolder)
            return path.hasPrefix("run/") && !isFolder.boolValue
        }
        var copies: [(String, Data)] = []
        for (number, file) in files.enumerated() {
            try FileManager.default.linkItem(atPath: scratch.path(file), toPath: scratch.path("copy-\(number)"))
            copies.append(("copy-\(number)", try scratch.data(file)))
        }
        #expect(try Tool.run(run(40)).status == 0)
        #expect(try scratch.text("run/metrics.jsonl").split(separator: "\n").count == 8)
        for (name, content) in copies { #expect(try scratch.data(name) == content) }
    }

    @Test func singleFilesAreWrittenAnew() throws {
        let scratch = try Scratch()
        let out = scratch.path("out.safetensors")
        let score = ["score", "--model", model, "--criterion", "magnitude", "--output", out]
        try scratch.write("precious", to: "precious")
        let hidden = scratch.path(".out.safetensors.partial")
        try FileManager.default.linkItem(atPath: scratch.path("precious"), toPath: hidden)
        try FileManager.default.linkItem(atPath: scratch.path("precious"), toPath: out)
        #expect(try Tool.run(score).status == 0)
        #expect(try scratch.text("precious") == "precious")
        #expect(try scratch.contents() == ["out.safetensors", "precious"])
        try FileManager.default.removeItem(atPath: out)
        try FileManager.default.createSymbolicLink(atPath: out, withDestinationPath: scratch.path("precious"))
        let refused = try Tool.run(score)
        #expect(refused.status == 65 && refused.errors.contains("symbolic link"), "\(refused.errors)")
        #expect(try scratch.text("precious") == "precious")
    }

    // MARK: words

    /// Control characters of files, names and arguments, among them ones that turn text or are terminals' own commands.
    @Test func textFromElsewhereDoesNotActOnATerminal() throws {
        let evil = "\u{1B}[31mRED\u{1B}]0;title\u{7}\u{9B}2J\u{202E}"
        let tiny = try TinyRun()
        let scratch = tiny.scratch
        let copy = scratch.url.appendingPathComponent("model")
        try FileManager.default.copyItem(at: URL(fileURLWithPath: model), to: copy)
        let configuration = copy.appendingPathComponent("unet/config.json")
        var json = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: configuration)) as? [String: Any])
        json[evil] = 1
        try JSONSerialization.data(withJSONObject: json).write(to: configuration)
        let escaped = evil.unicodeScalars.reduce(into: "") { $0 += "\\U" + String(format: "%08x", $1.value) }
        let yaml = try scratch.write("training: {\"\(escaped)\": 1}\n", to: "bad.yaml")
        let out = scratch.path("out\(evil)")
        let commands: [[String]] = [
            ["info", "--model", copy.path], ["info", "--model", copy.path, "--json"],
            ["info", "--model", "nothing\(evil)"], ["info", "--\(evil)"], [evil],
            ["sample", "--model", model, "--output", out, "--count", "1", "--steps", "1"],
            ["prune", "--model", model, "--output", scratch.path("x"), "--method", evil],
            ["prune", "--model", model, "--output", scratch.path("x"), "--method", "magnitude", "--target", evil],
            ["sample", "--model", model, "--output", scratch.path("x"), "--count", evil],
            ["score", "--model", model, "--output", scratch.path("x"), "--criterion", evil],
            ["train", "--config", yaml, "--output", scratch.path("x")],
            ["train", "--config", tiny.configuration, "--output", scratch.path("x"), "--set", "data.path=\(evil)"],
        ]
        for arguments in commands {
            let result = try Tool.run(arguments)
            let text = result.output + result.errors
            let acting = text.unicodeScalars.filter {
                $0 != "\n" && [.control, .format].contains($0.properties.generalCategory)
            }
            #expect(acting.isEmpty, "\(arguments): \(acting.map(\.value))")
            #expect(text.contains("RED") || arguments.contains("--json"), "\(arguments): \(text)")
            if arguments.contains("--json") {
                #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(result.output.utf8)) }
            }
        }
    }

    /// A script that lost its arguments must see that nothing was done.
    @Test func withoutACommandNothingIsDone() throws {
        let result = try Tool.run([])
        #expect(result.status == 64 && result.output.contains("quickstart") && result.errors.isEmpty)
    }

    // MARK: kills

    /// What a kill leaves that fell between two of the renames by which results take their places.
    @Test func resultsThatAKillLeftHalfMovedAreMadeAnew() throws {
        let scratch = try Scratch()
        let sample = ["sample", "--model", model, "--output", scratch.path("out"), "--count", "2", "--steps", "1"]
        #expect(try Tool.run(sample).status == 0)
        let whole = try scratch.contents()
        let manager = FileManager.default
        let mark = try #require(StagedOutput.mark(of: scratch.url.appendingPathComponent("out/grid.png")))
        try manager.createDirectory(
            atPath: scratch.path("out/.results.moving"), withIntermediateDirectories: false)
        try manager.moveItem(atPath: scratch.path("out/images"), toPath: scratch.path("out/.results.moving/images"))
        try scratch.write("{\"grid.png\": \"\(mark)\", \"images\": \"1\"}", to: "out/.results.moving/.list")
        let again = try Tool.run(sample)
        #expect(again.status == 0, "\(again.errors)")
        #expect(try scratch.contents() == whole)
    }
}

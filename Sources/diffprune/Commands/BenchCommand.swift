import ArgumentParser
import Foundation
import Storage
import Workflows

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Times a model: predictions, sampling, training steps, single layers.",
        discussion: """
            Work: forward (one prediction of a batch), sampling (a batch drawn with DDIM), training (one step: forward, \
            mean squared error, backward, clipping, Adam), hvp (one exact Hessian–vector product). With --pruned both \
            models take turns, and ratios (pruned over model) are taken within rounds. Memory is the most bytes of \
            buffers in use at one time, weights included; ps/MAC is time over the predictions' multiply–accumulates. \
            --layers adds a table of the layers of a prediction, with the share of the multiply–add peak that is \
            measured in the same run.

            With --serve nothing is timed until a line {"work": "training", "batch": 4, "repeats": 3} comes in; the answer \
            is {"batch": 4, "milliseconds": […], "peak_bytes": …, "work": "training"}. Between requests all threads sleep, so \
            that another program can be timed in turn.

            Example: diffprune bench --model runs/fashion/model --pruned runs/half/model --work forward training --layers
            """)

    @Option(help: ArgumentHelp("Model folder, as diffusers or this tool saves it.", valueName: "dir"))
    var model: String?

    @Option(
        help: ArgumentHelp("A U-Net's config.json, in place of --model: timed with random weights.", valueName: "file"))
    var architecture: String?

    @Option(help: ArgumentHelp("Model folder to time in turn with the model.", valueName: "dir"))
    var pruned: String?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("What to time: forward, sampling, training, hvp (default: all).", valueName: "name"))
    var work: [String] = []

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Images that go through the model together (default: 1 16).", valueName: "n"))
    var batch: [Int] = []

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Rounds of each measurement (default: what two seconds hold, 9 to 41).", valueName: "n"))
    var runs: Int?

    @Option(parsing: .unconditional, help: ArgumentHelp("Sampling steps (default: 10).", valueName: "n"))
    var steps: Int?

    @Flag(help: "Add a table of layers for each batch size.")
    var layers = false

    @Flag(help: "Time on request: a line of JSON in, a line out, until the input ends.")
    var serve = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var seed: SeedOption
    @OptionGroup var general: GeneralOptions

    mutating func run() throws {
        general.apply()
        if serve { try refuseOptionsOfRequests() }
        let settings = try settings()
        let subject = try subject()
        let other = try pruned.map { try BenchmarkSubject("pruned", folder: URL(fileURLWithPath: $0)) }
        for warning in subject.warnings + (other?.warnings ?? []) { StandardStreams.complain("warning", warning) }
        guard !serve else {
            let server = BenchmarkServer(subject, settings)
            while let line = readLine() { try StandardStreams.write(server.answer(line) + "\n") }
            return
        }
        let result = try BenchmarkWorkflow(subject, against: other, settings, progress: general.progress).run()
        try StandardStreams.write(json ? result.json().text() + "\n" : result.text())
    }

    /// What requests say, or what makes no sense with them.
    private func refuseOptionsOfRequests() throws {
        let given: [(String, Bool)] = [
            ("--pruned", pruned != nil), ("--work", !work.isEmpty), ("--batch", !batch.isEmpty),
            ("--runs", runs != nil), ("--layers", layers), ("--json", json),
        ]
        if let (name, _) = given.first(where: \.1) {
            throw RequestError.conflict("\(name) has no effect with --serve: expected to leave it out")
        }
    }

    private func subject() throws -> BenchmarkSubject {
        switch (model, architecture) {
        case (let model?, nil):
            return try BenchmarkSubject("model", folder: URL(fileURLWithPath: model))
        case (nil, let architecture?):
            return try BenchmarkSubject(
                "model", architecture: URL(fileURLWithPath: architecture), seed: UInt64(seed.seed ?? 0))
        default:
            throw RequestError.conflict("expected --model or --architecture, and not both")
        }
    }

    private func settings() throws -> BenchmarkSettings {
        var settings = BenchmarkSettings()
        if !work.isEmpty {
            settings.works = try work.map { try BenchmarkWork(named: $0) }
        }
        if !batch.isEmpty { settings.batches = batch }
        settings.runs = runs
        if let steps {
            guard settings.works.contains(.sampling) else {
                throw RequestError.conflict("--steps has no effect where sampling is not timed")
            }
            settings.steps = steps
        }
        settings.seed = UInt64(seed.seed ?? 0)
        settings.profilesLayers = layers
        try settings.validate()
        return settings
    }
}

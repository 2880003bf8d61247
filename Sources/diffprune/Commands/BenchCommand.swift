import ArgumentParser
import Benchmarking
import Files
import Foundation
import Reports
import Runs

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Times a model: predictions, sampling, training steps, single layers.",
        discussion: """
            Work: forward (one prediction of a batch), sampling (a batch drawn with DDIM), training (one step: \
            forward, loss, backward, clipping, Adam), hvp (one exact Hessian–vector product); classifiers sample \
            nothing. With \
            --pruned both models take turns, and ratios (pruned over model) are taken within rounds. Memory is the \
            most bytes of buffers in use at one time, weights included; ps/MAC is time over the predictions' \
            multiply–accumulates. --layers adds a table of the layers of a prediction, with the share of the \
            multiply–add peak that is measured in the same run, and one of a training step by kind of layer where that \
            is timed.

            --sweep times forward and training over values of batch, width, resolution or threads, all in turn, and \
            holds how time grows against how the work does; --output takes sweep.json and a CSV table and an SVG plot \
            for each.

            With --serve nothing is timed until a line {"work": "training", "batch": 4, "repeats": 3} comes in; the \
            answer is {"batch": 4, "milliseconds": […], "peak_bytes": …, "work": "training"}. Between requests all \
            threads sleep, so that another program can be timed in turn.

            Example: diffprune bench --model runs/fashion/model --pruned runs/half/model --work forward training \
            --layers
            """)

    @Option(help: ArgumentHelp("Model folder, as diffusers or this tool saves it.", valueName: "dir"))
    var model: String?

    @Option(
        help: ArgumentHelp(
            "A U-Net's config.json, or a classifier's, in place of --model: timed with random weights.",
            valueName: "file"))
    var architecture: String?

    @Option(help: ArgumentHelp("Model folder to time in turn with the model.", valueName: "dir"))
    var pruned: String?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "What to time: forward, sampling, training, hvp (default: all that the model does).", valueName: "name"))
    var work: [String] = []

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Images that go through the model together (default: 1 16; swept 1 2 4 8 16 32; in other sweeps 4).",
            valueName: "n"))
    var batch: [Int] = []

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Rounds of each measurement (default: what two seconds hold, 9 to 41).", valueName: "n"))
    var runs: Int?

    @Option(parsing: .unconditional, help: ArgumentHelp("Sampling steps (default: 10).", valueName: "n"))
    var steps: Int?

    @Flag(
        help: ArgumentHelp(
            "Training steps and Hessian–vector products compute the insides of blocks again in the backward pass, "
                + "in place of keeping them."))
    var gradientCheckpointing = false

    @Flag(help: "Add tables of layers for each batch size.")
    var layers = false

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("What to vary: batch, width, resolution, threads.", valueName: "name"))
    var sweep: [String] = []

    @Option(help: ArgumentHelp("Folder for the files of a sweep; must be new or empty.", valueName: "dir"))
    var output: String?

    @Flag(help: "Time on request: a line of JSON in, a line out, until the input ends.")
    var serve = false

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var variant: VariantOption
    @OptionGroup var seed: SeedOption
    @OptionGroup var general: GeneralOptions

    mutating func run() throws {
        general.apply()
        try refuseWhatHasNoEffect()
        if serve {
            let server = BenchmarkServer(try subject(), try settings())
            while let line = readLine() { try StandardStreams.write(server.answer(line) + "\n") }
        } else if !sweep.isEmpty {
            try runSweeps()
        } else {
            var settings = try settings()
            let subject = try subject()
            if work.isEmpty { settings.works = subject.works }
            let result = try BenchmarkWorkflow(
                subject, against: other(than: subject), settings, progress: general.progress
            ).run()
            try StandardStreams.write(json ? result.json().text() + "\n" : result.text())
        }
    }

    private func runSweeps() throws {
        let axes = try sweep.map { try SweepAxis(named: $0, kind: "sweep") }
        let settings = try settings(defaultWorks: [.forward, .training])
        if !batch.isEmpty, axes.count > 1, axes.contains(.batch) {
            throw RequestError.conflict(
                "--batch would mean two things to --sweep \(sweep.joined(separator: " ")): expected one sweep at a time"
            )
        }
        if batch.count > 1, axes != [.batch] {
            let batches = batch.map(String.init).joined(separator: " ")
            throw RequestError.conflict("--batch is \(batches), expected one number with --sweep \(sweep[0])")
        }
        let workflow = try SweepWorkflow(
            subject(), axes, settings, batches: batch.isEmpty ? SweepWorkflow.defaultBatches : batch,
            batch: batch.first ?? SweepWorkflow.defaultBatch, progress: general.progress)
        guard let output else { return try show(workflow.run()) }
        let folder = URL(fileURLWithPath: output)
        let sweeps = try OccupiedFolder.explained {
            try RunContext(output: folder).writing {
                let sweeps = try workflow.run()
                try StagedOutput.write(into: folder) { try sweeps.write(to: $0) }
                return sweeps
            }
        }
        try show(sweeps)
    }

    private func show(_ sweeps: BenchmarkSweeps) throws {
        try StandardStreams.write(json ? sweeps.json().text() + "\n" : sweeps.text())
    }

    /// Options that are not looked at must not be taken and ignored.
    private func refuseWhatHasNoEffect() throws {
        func refuse(_ with: String, _ given: [(String, Bool)]) throws {
            guard let (name, _) = given.first(where: \.1) else { return }
            throw RequestError.conflict("\(name) has no effect \(with): expected to leave it out")
        }
        if serve {
            try refuse(
                "with --serve",
                [
                    ("--pruned", pruned != nil), ("--work", !work.isEmpty), ("--batch", !batch.isEmpty),
                    ("--runs", runs != nil), ("--layers", layers), ("--sweep", !sweep.isEmpty), ("--json", json),
                ])
        }
        if !sweep.isEmpty { try refuse("with --sweep", [("--pruned", pruned != nil), ("--layers", layers)]) }
        if architecture != nil { try refuse("with --architecture", [("--variant", variant.variant != nil)]) }
        if sweep.isEmpty { try refuse("without --sweep", [("--output", output != nil)]) }
    }

    private func subject() throws -> BenchmarkSubject {
        switch (model, architecture) {
        case (let model?, nil):
            return try warned(BenchmarkSubject("model", folder: URL(fileURLWithPath: model), variant: chosen(model)))
        case (nil, let architecture?):
            return try warned(
                BenchmarkSubject(
                    "model", architecture: URL(fileURLWithPath: architecture), seed: UInt64(seed.seed ?? 0)))
        default:
            throw RequestError.conflict("expected --model or --architecture, and not both")
        }
    }

    /// - Parameter subject: what the other model is pruned from.
    private func other(than subject: BenchmarkSubject) throws -> BenchmarkSubject? {
        guard let pruned else { return nil }
        let other = try warned(
            BenchmarkSubject("pruned", folder: URL(fileURLWithPath: pruned), variant: chosen(pruned)))
        if other.macs > subject.macs {
            general.warning(
                "the pruned model takes more multiply–accumulates than the other (\(NumberText.compact(other.macs)), "
                    + "\(NumberText.compact(subject.macs))): are --model and --pruned swapped?")
        }
        return other
    }

    private func chosen(_ path: String) throws -> String? {
        try VariantOption.chosen(variant.variant, among: [model, pruned].compactMap(\.self))(path)
    }

    private func warned(_ subject: BenchmarkSubject) -> BenchmarkSubject {
        for warning in subject.warnings { StandardStreams.warn(warning) }
        return subject
    }

    private func settings(defaultWorks: [BenchmarkWork] = BenchmarkWork.allCases) throws -> BenchmarkSettings {
        var settings = BenchmarkSettings()
        settings.works = defaultWorks
        if !work.isEmpty { settings.works = try work.map { try BenchmarkWork(named: $0, kind: "work") } }
        if !batch.isEmpty { settings.batches = batch }
        settings.runs = runs
        if let steps {
            guard settings.works.contains(.sampling) else {
                throw RequestError.conflict("--steps has no effect where sampling is not timed")
            }
            settings.steps = steps
        }
        if gradientCheckpointing {
            guard settings.works.contains(.training) || settings.works.contains(.hvp) else {
                throw RequestError.conflict("--gradient-checkpointing has no effect where nothing is trained")
            }
            guard !layers else {
                throw RequestError.conflict(
                    "--layers would show the layers inside blocks twice with --gradient-checkpointing: "
                        + "expected one of them")
            }
            settings.gradientCheckpointing = true
        }
        settings.seed = UInt64(seed.seed ?? 0)
        settings.profilesLayers = layers
        try settings.validate()
        return settings
    }
}

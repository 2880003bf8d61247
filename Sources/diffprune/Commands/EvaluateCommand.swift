import ArgumentParser
import Diffusion
import Files
import Foundation
import Imagery
import ModelFolders
import Runs
import Workflows

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Compares a pruned model with the dense one it came from.",
        discussion: """
            Draws images with both from the same noise and writes metrics.json (consistency, quality, efficiency), \
            grid.png (dense, pruned, difference) and report.html. With --data, noise predictions are compared on real \
            images and the Fréchet distance to them is taken in the space of a feature net (--features; the bundled \
            one where it fits). Two classifiers are compared on --data (by default its test split): accuracy, \
            confusion, agreement and efficiency. Two folders of pictures paired by name can be compared instead: \
            --dense-images with --pruned-images.

            Example: diffprune evaluate --dense runs/fashion/model --pruned runs/half/model --data \
            Samples/fashion-mnist --split test --output runs/half/evaluation
            """)

    @Option(help: ArgumentHelp("Model folder of the dense model.", valueName: "dir"))
    var dense: String?

    @Option(
        help: ArgumentHelp("Model folder of the pruned model, or the folder of its finished run.", valueName: "dir"))
    var pruned: String?

    @Option(help: ArgumentHelp("Folder of PNGs or JPEGs, in place of --dense.", valueName: "dir"))
    var denseImages: String?

    @Option(help: ArgumentHelp("Folder of pictures of the same names, in place of --pruned.", valueName: "dir"))
    var prunedImages: String?

    @Option(help: ArgumentHelp("Folder to write; must be new or empty.", valueName: "dir"))
    var output: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Images drawn by each model (default: \(EvaluationSettings().count)).", valueName: "n"))
    var count: Int?

    @Option(help: ArgumentHelp("ddim or ddpm (default: \(EvaluationSettings().sampler.rawValue)).", valueName: "name"))
    var sampler: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Sampling steps (default: \(EvaluationSettings().steps)).", valueName: "n"))
    var steps: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Noise that ddim adds, 0 (none) to 1 (as much as ddpm); default: 0.", valueName: "eta"))
    var eta: Double?

    @Option(
        name: .customLong("class"), parsing: .unconditional,
        help: ArgumentHelp(
            "Class of every image, for class-conditional models, or all: image i has class i mod the number of "
                + "classes, and there is a table by class (default: all).", valueName: "k|all"))
    var classes: String?

    @Option(help: ArgumentHelp("Folder or file of real images.", valueName: "path"))
    var data: String?

    @Option(
        help: ArgumentHelp(
            "Part of the data: train, validation or test (default: train; test for classifiers).", valueName: "name"))
    var split: String?

    @Option(
        help: ArgumentHelp(
            "Column of the data's metadata.csv or metadata.jsonl with the classes (default: label).", valueName: "name")
    )
    var labelColumn: String?

    @Option(help: ArgumentHelp("Folder of a feature net, see train-features.", valueName: "dir"))
    var features: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Images that go through a model together (default: \(EvaluationSettings().batchSize)); "
                + "changes speed and memory only.", valueName: "n"))
    var batchSize: Int?

    @Flag(help: "Write the images too, to images/dense and images/pruned.")
    var saveImages = false

    @Flag(help: "Print metrics.json instead of a table.")
    var json = false

    @OptionGroup var variant: VariantOption
    @OptionGroup var seed: SeedOption
    @OptionGroup var general: GeneralOptions

    mutating func run() throws {
        general.apply()
        let url = URL(fileURLWithPath: output)
        let text = try OutputClaim.holding(url) { try OccupiedFolder.explained { try summary(output: url) } }
        guard !json else {
            let metrics = try JSONFile.read(url.appendingPathComponent("metrics.json"))
            return try StandardStreams.write(metrics.text(.python) + "\n")
        }
        try StandardStreams.write(text + "  report        \(url.appendingPathComponent("report.html").path)\n")
    }

    private func summary(output: URL) throws -> String {
        let context = RunContext(
            output: output, command: CommandLine.shellText, progress: general.progress, warning: general.warning)
        switch (dense, pruned, denseImages, prunedImages) {
        case (let dense?, let pruned?, nil, nil) where ModelKind(of: dense) == .classifier:
            return try classifierSummary(dense, pruned, in: context)
        case (let dense?, let pruned?, nil, nil):
            try ModelKind.refuseClassifier(pruned, "drawing what the dense model draws")
            let variant = try VariantOption.chosen(variant.variant, among: [dense, pruned])
            let workflow = try EvaluationWorkflow(
                settings(), dense: LoadedPipeline(URL(fileURLWithPath: dense), variant: variant(dense)),
                pruned: LoadedPipeline(URL(fileURLWithPath: pruned), variant: variant(pruned)), in: context)
            var flagged = FlaggedKeys()
            for (key, flag) in [
                ("count", "--count"), ("steps", "--steps"), ("batch_size", "--batch-size"), ("class", "--class"),
            ] { flagged.name(key, as: flag) }
            let result = try flagged.naming { try workflow.run() }
            for warning in result.warnings { StandardStreams.warn(warning) }
            return result.summary
        case (nil, nil, let dense?, let pruned?):
            try refuseModelOptions()
            return try PairedFoldersWorkflow(
                dense: URL(fileURLWithPath: dense), pruned: URL(fileURLWithPath: pruned), in: context
            ).run().summary
        default:
            throw RequestError.conflict(
                "expected --dense with --pruned, or --dense-images with --pruned-images, and no mixture of the two")
        }
    }

    private func classifierSummary(_ dense: String, _ pruned: String, in context: RunContext) throws -> String {
        if let (name, _) = drawingOptions.first(where: \.isGiven) {
            throw RequestError.conflict("\(name) has no effect with classifiers, which draw nothing: leave it out")
        }
        let chosen = try VariantOption.chosen(variant.variant, among: [dense, pruned])
        func loaded(_ path: String) throws -> LoadedModel<ImageClassifierFolder> {
            try LoadedModel(URL(fileURLWithPath: path), variant: chosen(path))
        }
        var settings = ClassifierEvaluationSettings()
        settings.data.path = data ?? ""
        settings.data.labelColumn = labelColumn ?? ""
        if let split { settings.data.split = try DatasetSpecification.Split(named: split, kind: "split") }
        let result = try ClassifierEvaluationWorkflow(
            settings, dense: loaded(dense), pruned: loaded(pruned), in: context
        ).run()
        for warning in result.warnings { StandardStreams.warn(warning) }
        return result.summary
    }

    /// Options of models that draw, and whether they are given.
    private var drawingOptions: [(name: String, isGiven: Bool)] {
        [
            ("--count", count != nil), ("--sampler", sampler != nil), ("--steps", steps != nil), ("--eta", eta != nil),
            ("--class", classes != nil), ("--features", features != nil), ("--batch-size", batchSize != nil),
            ("--save-images", saveImages), ("--seed", seed.seed != nil),
        ]
    }

    /// Options that pictures alone have no use for must not be taken and ignored.
    private func refuseModelOptions() throws {
        let given =
            drawingOptions + [
                ("--data", data != nil), ("--split", split != nil), ("--label-column", labelColumn != nil),
                ("--variant", variant.variant != nil),
            ]
        if let (name, _) = given.first(where: \.isGiven) {
            throw RequestError.conflict(
                "\(name) has no effect with two folders of images: expected models, or to leave it out")
        }
    }

    private func settings() throws -> EvaluationSettings {
        var settings = EvaluationSettings()
        settings.count = count ?? settings.count
        settings.seed = UInt64(seed.seed ?? 0)
        if let sampler { settings.sampler = try SamplerName(named: sampler, kind: "sampler") }
        settings.steps = steps ?? settings.steps
        settings.eta = eta ?? settings.eta
        settings.classes = try classes.map { try ClassChoice(option: $0) }
        settings.batchSize = batchSize ?? settings.batchSize
        settings.savesImages = saveImages
        let dependent = [("--split", split), ("--label-column", labelColumn), ("--features", features)]
        for (name, value) in dependent where value != nil && data == nil {
            throw RequestError.conflict("\(name) has no effect without --data")
        }
        if let data {
            settings.data.path = data
            if let split { settings.data.split = try DatasetSpecification.Split(named: split, kind: "split") }
            settings.data.labelColumn = labelColumn ?? ""
            settings.features = features.map { URL(fileURLWithPath: $0) }
        }
        return settings
    }
}

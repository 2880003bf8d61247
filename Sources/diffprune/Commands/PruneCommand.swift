import ArgumentParser
import Files
import ModelFolders
import Workflows

struct PruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Removes channels of a model and fine-tunes what is left.",
        discussion: """
            The configuration has the sections method (name and the method's settings), pruning, finetuning, recovery \
            and data; flags take the place of the file's values. The run folder is as that of train, with pruning.json \
            in model/. Without images, and where nothing is said of fine-tuning, \
            '\(PruningRunConfiguration.methodWithoutImages)' prunes, which needs none, and nothing is fine-tuned.

            Example: diffprune prune --model runs/fashion/model --output runs/half --method gradient-flow \
            --target macs=0.5 --data Samples/fashion-mnist
            """)

    @OptionGroup var model: RunModelOption
    @OptionGroup var options: RunOptions
    @OptionGroup var trial: DryRunOptions

    @Option(
        help: ArgumentHelp(
            "Pruning method, see diffprune methods (default: \(PruningRunConfiguration.usualMethod)).",
            valueName: "name"
        ))
    var method: String?

    @Option(
        help: ArgumentHelp(
            "What may be left: a share (macs=0.5, the default; params=0.5, bytes=0.5) or an amount (macs=80M, "
                + "params=500k, bytes=2MB); or sparsity=0.5, of the channels; several with commas between.",
            valueName: "target"))
    var target: String?

    @Option(
        help: ArgumentHelp(
            "What stays of each channel group, or weight: ratios.json of sensitivity. With --target, scaled to it.",
            valueName: "file"))
    var ratios: String?

    @OptionGroup var data: DataOption
    @OptionGroup var generated: GeneratedOption

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Fine-tuning steps, those between mask updates included.", valueName: "n"))
    var finetuneSteps: Int?

    @Flag(
        help: ArgumentHelp(
            "Print the result as JSON: paths, what was asked for and achieved, method, seed; with --dry-run the "
                + "forecast."
        ))
    var json = false

    @OptionGroup var dtype: DTypeOption
    @OptionGroup var seed: SeedOption
    @OptionGroup var general: GeneralOptions

    mutating func run() throws {
        general.apply()
        try options.checkOutput()
        let model = try model.path(options)
        switch ModelKind(of: model) {
        case .denoiser: try prune(model, as: Pipeline.self)
        case .classifier: try prune(model, as: StoredImageClassifier.self)
        }
    }

    private func prune<Model: TrainableModel>(_ path: String, as _: Model.Type) throws {
        let file = try options.configurationURL(replacedBy: method != nil)
        var flagged = FlaggedKeys(options.overrides)
        flagged.set("finetuning.steps", flag: "--finetune-steps", to: finetuneSteps)
        generated.set(in: &flagged)
        flagged.set("pruning.seed", "finetuning.seed", flag: "--seed", to: seed.seed)
        var configuration = try flagged.naming {
            try PruningRunSettings<Model>(
                file: file, overrides: flagged.overrides, method: method, target: target, ratios: ratios,
                data: data.path)
        }
        try options.locate(&configuration.data)
        let variant = try options.flag("variant", given: self.model.variant.variant)
        let type = try options.flag("dtype", given: dtype.dtype)
        var model: Model = try ModelOption.load(path, variant: variant)
        if let type { model.weightTypes = try DTypeOption.types(named: type) }
        let workflow = PruningWorkflow(
            configuration, model: model,
            in: options.context(
                general, models: ["model": path], flags: ["variant": variant, "dtype": type],
                data: configuration.data))
        if try trial.print(options, json: json, workflow.forecast) { return }
        let outcome = try options.running("prune", general, workflow.run)
        try StandardStreams.write(json ? outcome.json.text() + "\n" : Self.text(outcome))
    }

    private static func text(_ outcome: PruningOutcome) throws -> String {
        let record = outcome.record
        let finetuning =
            outcome.finetuningSteps > 0
            ? "\(outcome.finetuningSteps) steps"
            : "none (diffprune finetune --model \(outcome.modelURL.path) --data IMAGES --output DIR)"
        return """
            method: \(record.method)
            asked: \(record.request)
            achieved: \(record.achievedRequest ?? "not noted")
            fine-tuning: \(finetuning)
            \(try AchievedTable.text(record))\(try ClassifierText.accuracy(of: outcome.modelURL))model: \
            \(outcome.modelURL.path)

            """
    }
}

import ArgumentParser
import ModelFolders
import Workflows

struct FinetuneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "finetune", abstract: "Goes on training a model, pruned or not.",
        discussion: """
            Removed channels stay removed and pruning.json is kept. The configuration has the sections finetuning, \
            recovery and data. With --teacher the loss is (1 − λ)·noise loss + λ·imitation of the teacher's \
            prediction, λ = recovery.distillation, which is then \(FinetuningRunConfiguration.defaultDistillation) \
            unless the configuration says otherwise; recovery.feature_distillation adds the teacher's features. A \
            classifier's loss is the cross-entropy, and its logits are imitated.

            Example: diffprune finetune --model runs/half/model --output runs/recovered --teacher runs/fashion/model \
            --data Samples/fashion-mnist --steps 500
            """)

    @OptionGroup var model: RunModelOption
    @OptionGroup var options: RunOptions
    @OptionGroup var trial: DryRunOptions
    @OptionGroup var output: ForecastFormat

    @Option(help: ArgumentHelp("Model to imitate, usually the one before pruning.", valueName: "dir"))
    var teacher: String?

    @OptionGroup var data: DataOption
    @OptionGroup var generated: GeneratedOption

    @Option(parsing: .unconditional, help: ArgumentHelp("Training steps.", valueName: "n"))
    var steps: Int?

    @OptionGroup var dtype: DTypeOption
    @OptionGroup var seed: SeedOption
    @OptionGroup var general: GeneralOptions

    mutating func run() throws {
        general.apply()
        try options.checkOutput()
        let model = try model.path(options)
        switch ModelKind(of: model) {
        case .denoiser: try finetune(model, as: Pipeline.self)
        case .classifier: try finetune(model, as: StoredImageClassifier.self)
        }
    }

    private func finetune<Model: TrainableModel>(_ path: String, as _: Model.Type) throws {
        var flagged = FlaggedKeys(options.overrides)
        flagged.set("finetuning.steps", flag: "--steps", to: steps)
        generated.set(in: &flagged)
        flagged.set("finetuning.seed", flag: "--seed", to: seed.seed)
        let teacher = try options.path(of: "teacher", given: teacher)
        var configuration = try flagged.naming {
            try FinetuningRunSettings<Model>(
                file: options.configurationURL(isComplete: data.path != nil || generated.kind != nil),
                overrides: flagged.overrides, data: data.path, hasTeacher: teacher != nil)
        }
        try options.locate(&configuration.data)
        var places = ["model": path]
        places["teacher"] = teacher
        let named = try options.flag("variant", given: self.model.variant.variant)
        let type = try options.flag("dtype", given: dtype.dtype)
        func workflow() throws -> FinetuningWorkflow<Model> {
            let variant = try VariantOption.chosen(named, among: [path] + (teacher.map { [$0] } ?? []))
            var model: Model = try ModelOption.load(path, variant: variant(path))
            if let type { model.weightTypes = try DTypeOption.types(named: type) }
            return try FinetuningWorkflow(
                configuration, model: model,
                teacher: teacher.map { try ModelOption.load($0, variant: variant($0)) },
                in: options.context(
                    general, models: places, flags: ["variant": named, "dtype": type], data: configuration.data))
        }
        if try trial.print(options, json: output.isJSON(trial), { try workflow().forecast() }) { return }
        let result = try options.running("finetune", general) { try workflow().run() }
        try StandardStreams.write(try ClassifierText.accuracy(of: result) + "model: \(result.path)\n")
    }
}

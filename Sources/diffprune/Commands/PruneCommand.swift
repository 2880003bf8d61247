import ArgumentParser
import Foundation
import ModelFolders
import Reports
import Runs
import Workflows

struct PruneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Removes channels of a model and fine-tunes what is left.",
        discussion: """
            The configuration has the sections method (name and the method's settings), pruning, finetuning and data; \
            flags take the place of the file's values. The run folder is as that of train, with pruning.json in model/.

            Example: diffprune prune --model runs/fashion/model --output runs/half --method gradient-flow \
            --target macs=0.5 --data Samples/fashion-mnist
            """)

    @OptionGroup var model: RunModelOption
    @OptionGroup var options: RunOptions
    @OptionGroup var trial: DryRunOptions
    @OptionGroup var output: ForecastFormat

    @Option(help: ArgumentHelp("Pruning method, see diffprune methods.", valueName: "name"))
    var method: String?

    @Option(
        help: ArgumentHelp(
            "What may be left: macs=0.5 or params=0.5; or sparsity=0.5, of the channels.", valueName: "target"))
    var target: String?

    @Option(help: ArgumentHelp("Folder or file of images.", valueName: "path"))
    var data: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Fine-tuning steps, those between mask updates included.", valueName: "n"))
    var finetuneSteps: Int?

    @OptionGroup var dtype: DTypeOption
    @OptionGroup var seed: SeedOption
    @OptionGroup var general: GeneralOptions

    mutating func run() throws {
        general.apply()
        try options.checkOutput()
        let file = try options.configurationURL(replacedBy: method != nil)
        let path = try model.path(options)
        guard file != nil || method != nil else {
            throw RequestError.conflict(
                "neither --config nor --method is there: expected one of them, "
                    + "or --resume with a run in the output folder")
        }
        var overrides = options.overrides
        if let steps = finetuneSteps { overrides.append("finetuning.steps=\(steps)") }
        if let seed = seed.seed { overrides += ["pruning.seed=\(seed)", "finetuning.seed=\(seed)"] }
        var configuration = try PruningRunConfiguration(
            file: file, overrides: overrides, method: method, target: target, data: data)
        try options.locate(&configuration.data)
        let types = try dtype.types
        var pipeline = try ModelOption.load(path, variant: model.variant.variant)
        if let types { pipeline.weightTypes = types }
        let workflow = PruningWorkflow(
            configuration, pipeline: pipeline,
            in: options.context(general, models: ["model": path], data: configuration.data))
        if try trial.print(options, json: output.isJSON(trial), workflow.forecast) { return }
        let outcome = try options.running(
            "prune", general, repeating: dtype.repeated + model.variant.repeated, workflow.run)
        let asked = outcome.record.asked
        try StandardStreams.write(
            """
            asked: \(asked.quantity)=\(asked.value)
            \(AchievedTable.text(outcome.record))model: \(outcome.modelURL.path)

            """)
    }
}

import ArgumentParser
import Files
import Foundation
import ModelFolders
import Workflows

struct SensitivityCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sensitivity",
        abstract: "Narrows each channel group and block alone, shows what that does, and suggests ratios.",
        discussion: """
            Channels leave by a criterion of score; predictions are compared with the dense model's at timesteps over \
            the schedule, pictures from the same noise. The folder gets report.html with heat maps, sensitivity.json, \
            and ratios.json, which prune --ratios takes. Each probe is kept as it is made: a run that was stopped or \
            killed goes on with --resume. The configuration has the sections sensitivity and data.

            Example: diffprune sensitivity --model runs/fashion/model --data Samples/fashion-mnist --target macs=0.5 \
            --output runs/sensitivity
            """)

    @OptionGroup var model: RunModelOption
    @OptionGroup var options: RunOptions
    @OptionGroup var trial: DryRunOptions
    @OptionGroup var data: DataOption

    @Option(
        help: ArgumentHelp(
            "What ratios are suggested for, as prune takes it (default: \(SensitivityPlan().target)).",
            valueName: "target"))
    var target: String?

    @Option(
        help: ArgumentHelp(
            "What chooses the channels that leave, as score has it (default: \(SensitivityPlan().criterion)).",
            valueName: "name"))
    var criterion: String?

    @Flag(help: "Print sensitivity.json instead of tables; with --dry-run the forecast.")
    var json = false

    @OptionGroup var seed: SeedOption
    @OptionGroup var general: GeneralOptions

    mutating func run() throws {
        general.apply()
        try options.checkOutput()
        let file = try options.configurationURL(isComplete: data.path != nil)
        let path = try model.path(options)
        let variant = try options.flag("variant", given: model.variant.variant)
        var flagged = FlaggedKeys(options.overrides)
        flagged.set("sensitivity.target", flag: "--target", to: target)
        flagged.set("sensitivity.criterion", flag: "--criterion", to: criterion)
        flagged.set("sensitivity.seed", flag: "--seed", to: seed.seed)
        var configuration = try flagged.naming {
            try SensitivityConfiguration(file: file, overrides: flagged.overrides, data: data.path)
        }
        try options.locate(&configuration.data)
        let workflow = SensitivityWorkflow(
            configuration, pipeline: try ModelOption.load(path, variant: variant),
            in: options.context(
                general, models: ["model": path], flags: ["variant": variant], data: configuration.data))
        if try trial.print(options, json: json, workflow.forecast) { return }
        let result = try options.running("sensitivity", general, workflow.run)
        let folder = options.outputURL.path
        try StandardStreams.write(
            json
                ? result.json.text() + "\n"
                : result.summary + "report: \(folder)/report.html\nratios: \(folder)/ratios.json\n")
    }
}

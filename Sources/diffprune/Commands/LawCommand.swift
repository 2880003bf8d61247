import ArgumentParser
import Files
import Foundation
import ModelFolders
import Runs
import Workflows

struct LawCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "law", abstract: "Measures how much of a model a constant pressure leaves, and predicts by it.",
        discussion: """
            Runs of hyperflows that differ in nothing but their constant pressure, at equal ratios from law.lowest to \
            law.highest, give the pressure law: how much is left over pressure, fitted by a power law and by one with \
            a quadratic exponent. The law then says which pressure leaves what pruning.target asks for, and one more \
            run checks it. Writes law.json, law.svg, report.html and a folder a run, as prune does. The configuration \
            has the sections law (model, lowest, highest, points), method (settings of hyperflows), pruning, \
            finetuning (steps of each run), recovery and data; flags take the place of the file's values.

            Example: diffprune law --config configs/law.yaml --output runs/law
            """)

    @Option(
        help: ArgumentHelp(
            "Model folder, as diffusers or this tool saves it (default: law.model); a resumed law knows its own.",
            valueName: "dir"))
    var model: String?

    @OptionGroup var variant: VariantOption
    @OptionGroup var options: RunOptions
    @OptionGroup var trial: DryRunOptions
    @OptionGroup var data: DataOption
    @OptionGroup var generated: GeneratedOption

    @Flag(help: "Print law.json instead of a table; with --dry-run the forecast.")
    var json = false

    @OptionGroup var seed: SeedOption
    @OptionGroup var general: GeneralOptions

    mutating func run() throws {
        general.apply()
        try options.checkOutput()
        let file = try options.configurationURL()
        var flagged = FlaggedKeys(options.overrides)
        generated.set(in: &flagged)
        flagged.set("pruning.seed", "finetuning.seed", flag: "--seed", to: seed.seed)
        let known = try options.path(of: "model", given: model)
        var configuration = try flagged.naming {
            try LawConfiguration(file: file, overrides: flagged.overrides, model: known, data: data.path)
        }
        var images = try configuration.data
        try options.locate(&images)
        configuration.setDataPath(images.path)
        let path = configuration.law.model
        guard !path.isEmpty else {
            throw RequestError.conflict("law.model is missing: expected a model folder there or by --model")
        }
        let variant = try options.flag("variant", given: self.variant.variant)
        let workflow = LawWorkflow(
            configuration, pipeline: try ModelOption.load(path, variant: variant),
            in: options.context(general, models: ["model": path], flags: ["variant": variant], data: images))
        if try trial.print(options, json: json, workflow.forecast) { return }
        let outcome = try options.running("law", general, workflow.run)
        try StandardStreams.write(json ? outcome.json.text(.python) + "\n" : outcome.summary)
    }
}

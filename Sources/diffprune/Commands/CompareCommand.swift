import ArgumentParser
import Files
import Foundation
import ModelFolders
import Runs
import Workflows

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Prunes a model by many methods, and compares them.",
        discussion: """
            Methods × targets × seeds under one protocol: the same images in the same order, as many fine-tuning steps \
            or as much time, the same noise, or of classifiers the same test images. Writes comparison.json, \
            comparison.csv, report.html, contact-sheet.png and a folder a run, as prune and evaluate do. The \
            configuration has the sections study (methods, targets, seeds, equal), evaluation, variants (settings of \
            single methods), pruning, finetuning, recovery and data; flags take the place of the file's values. A run \
            that fails is shown and does not stop the rest. Several processes may work on one study: start the others \
            with --resume.

            Example: diffprune compare --model runs/fashion/model --data Samples/fashion-mnist --methods \
            gradient-flow,magnitude,random --targets macs=0.5,macs=0.25 --seeds 3 --output study
            """)

    @OptionGroup var model: RunModelOption
    @OptionGroup var options: RunOptions
    @OptionGroup var trial: DryRunOptions
    @OptionGroup var data: DataOption
    @OptionGroup var generated: GeneratedOption

    @Option(
        help: ArgumentHelp(
            "Methods, see diffprune methods, or variants of the configuration; others are held against the first.",
            valueName: "a,b,c"))
    var methods: String?

    @Option(help: ArgumentHelp("What may be left, as prune takes it.", valueName: "macs=0.5,…"))
    var targets: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("How many seeds (default: 1).", valueName: "k"))
    var seeds: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Fine-tuning steps of each run, those between mask updates included.", valueName: "n"))
    var finetuneSteps: Int?

    @Option(
        help: ArgumentHelp(
            "What all runs of a target have equally much of: steps, or time, of which the first method's is the "
                + "measure (default: steps).", valueName: "steps|time"))
    var equal: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("Images drawn by each model (default: 64).", valueName: "n"))
    var count: Int?

    @Flag(help: "Print comparison.json instead of tables; with --dry-run the forecast.")
    var json = false

    @OptionGroup var seed: SeedOption
    @OptionGroup var general: GeneralOptions

    mutating func run() throws {
        general.apply()
        try options.checkOutput()
        let path = try model.path(options)
        switch ModelKind(of: path) {
        case .denoiser: try compare(path, by: StudyEvaluation.self)
        case .classifier:
            guard count == nil else {
                throw RequestError.conflict("--count has no effect with classifiers, which draw nothing: leave it out")
            }
            try compare(path, by: ClassifierStudyEvaluation.self)
        }
    }

    private func compare<Evaluation: StudyComparing>(_ path: String, by _: Evaluation.Type) throws {
        let file = try options.configurationURL(isComplete: methods != nil && targets != nil)
        let variant = try options.flag("variant", given: model.variant.variant)
        var flagged = FlaggedKeys(options.overrides)
        flagged.set("finetuning.steps", flag: "--finetune-steps", to: finetuneSteps)
        generated.set(in: &flagged)
        flagged.set("evaluation.count", flag: "--count", to: count)
        flagged.set("study.seeds", flag: "--seeds", to: seeds)
        flagged.set("study.first_seed", flag: "--seed", to: seed.seed)
        let equality = try equal.map { try StudyPlan.Equality(named: $0, kind: "equality") }
        let (methods, targets) = (Self.list(methods), Self.list(targets))
        var configuration = try flagged.naming {
            try StudySettings<Evaluation>(file: file, overrides: flagged.overrides, data: data.path) { study in
                study.methods = methods ?? study.methods
                study.targets = targets ?? study.targets
                study.equal = equality ?? study.equal
            }
        }
        var images = try configuration.data
        try options.locate(&images)
        configuration.setDataPath(images.path)
        let dense = try LoadedModel<Evaluation.Model.Folder>(URL(fileURLWithPath: path), variant: variant)
        ModelOption.show(dense.model.warnings, of: path)
        let workflow = StudyWorkflow(
            configuration, dense: dense,
            in: options.context(general, models: ["model": path], flags: ["variant": variant], data: images))
        if try trial.print(options, json: json, workflow.forecast) { return }
        let outcome = try options.running("compare", general, workflow.run)
        try StandardStreams.write(json ? outcome.json().text(.python) + "\n" : outcome.summary)
        guard outcome.failures.isEmpty else {
            throw RequestError.conflict(
                "\(outcome.failures.count) of \(outcome.runCount) runs failed; --resume tries them again")
        }
    }

    private static func list(_ text: String?) -> [String]? {
        text.map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    }
}

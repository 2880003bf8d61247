import ArgumentParser
import Datasets
import Files
import Foundation
import ModelFolders
import Runs
import Workflows

struct ScoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score", abstract: "Computes importance scores of weights and channels; prunes nothing.",
        discussion: """
            The criterion of a method of the catalogue, by the method's name, at its default settings (docs/METHODS.md \
            has the formulas): for each weight tensor, under its own name, one score an element; under group:<name>, \
            one score a channel where the method prunes channels. The lowest leave first. Beside them, of weights \
            only, elementwise-taylor |w·g| and elementwise-gradient-flow −w·(H·g), signed. obd's diag(H) is an \
            estimate from --probes exact Hessian–vector products with random signs; the rest is exact. \
            A batch is a safetensors file of sample (clean), noise [N,C,H,W], timestep [N] and, for a conditional \
            model, class_labels; for a classifier of sample and labels. With --data images, noise and timesteps are \
            chosen by --seed.

            Example: diffprune score --model runs/fashion/model --criterion gradient-flow --data Samples/fashion-mnist \
            --output scores.safetensors
            """)

    @OptionGroup var model: ModelOption

    @Option(
        help: ArgumentHelp(
            "One of \(ScoreCriterion.names.joined(separator: ", ")).", valueName: "name"))
    var criterion: String

    @Option(help: ArgumentHelp("Safetensors file to write.", valueName: "file"))
    var output: String

    @Option(help: ArgumentHelp("Safetensors file of a batch.", valueName: "file"))
    var batch: String?

    @OptionGroup var data: DataOption

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Batches to take from --data (default: \(PruningConfiguration().calibrationBatches)).", valueName: "n"))
    var batches: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Images of a batch from --data (default: \(PruningConfiguration().calibrationBatchSize)).", valueName: "n"))
    var batchSize: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Probe vectors of obd (default: \(ScoringRequest.defaultProbes)).", valueName: "n"))
    var probes: Int?

    @OptionGroup var seed: SeedOption
    @OptionGroup var general: GeneralOptions

    mutating func run() throws {
        general.apply()
        let criterion = try ScoreCriterion(named: criterion)
        guard probes == nil || criterion.usesProbes else {
            throw RequestError.conflict("--probes is for criterion 'obd', got '\(criterion.name)'")
        }
        let request = ScoringRequest(
            criterion, images: try images(), seed: seed.seed ?? 0, probes: probes ?? ScoringRequest.defaultProbes)
        let url = URL(fileURLWithPath: output)
        let outcome =
            switch ModelKind(of: model.model) {
            case .denoiser: try outcome(request, of: model.load(as: Pipeline.self), to: url)
            case .classifier: try outcome(request, of: model.load(as: StoredImageClassifier.self), to: url)
            }
        let loss = outcome.loss.map { ", loss \(Double($0).significant())" } ?? ""
        try StandardStreams.write(
            "\(criterion.name): \(outcome.tensors) tensors, \(outcome.groups) groups\(loss): \(url.path)\n")
    }

    private func outcome(
        _ request: ScoringRequest, of model: some TrainableModel, to url: URL
    ) throws -> ScoringOutcome {
        try ScoringWorkflow(model, request, output: url, progress: general.progress).run()
    }

    private func images() throws -> ScoringRequest.Images {
        guard let path = data.path else {
            guard batches == nil, batchSize == nil else {
                throw RequestError.conflict("--batches and --batch-size are for --data, which is missing")
            }
            return batch.map { .batch(URL(fileURLWithPath: $0)) } ?? .none
        }
        guard batch == nil else {
            throw RequestError.conflict("both --batch and --data are given, expected one of them")
        }
        var configuration = DataConfiguration()
        configuration.path = path
        let defaults = PruningConfiguration()
        return .data(
            configuration, batches: batches ?? defaults.calibrationBatches,
            batchSize: batchSize ?? defaults.calibrationBatchSize)
    }
}

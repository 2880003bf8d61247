import Diffusion
import Files
import Foundation
import ModelFolders
import Models
import Reports

/// Two models that draw pictures of one shape under one noise schedule.
struct ComparedModels {
    let dense: Pipeline
    let pruned: Pipeline
    let objective: DenoisingObjective
    /// Of the pictures that are drawn; nil for unconditional models.
    let classes: ImageClasses?

    /// - Throws: `EvaluationError` where the two cannot be compared, `RequestError` where they have no such class.
    init(dense: Pipeline, pruned: Pipeline, classes choice: ClassChoice?) throws {
        self.dense = dense
        self.pruned = pruned
        let (a, b) = (dense.model, pruned.model)
        func same(_ what: String, _ first: String, _ second: String) throws {
            guard first == second else {
                throw EvaluationError.notComparable(what: what, dense: first, pruned: second)
            }
        }
        func same(_ what: String, _ first: Int, _ second: Int) throws { try same(what, "\(first)", "\(second)") }
        try same("the image size", Self.text(a.size), Self.text(b.size))
        try same("the number of image channels", a.configuration.inChannels, b.configuration.inChannels)
        let (first, second) = (try dense.scheduler, try pruned.scheduler)
        try same("the number of training timesteps", first.trainTimesteps, second.trainTimesteps)
        try same("prediction_type", first.predictionType.rawValue, second.predictionType.rawValue)
        objective = try DenoisingObjective(first)
        guard try objective.schedule == NoiseSchedule(second) else {
            throw EvaluationError.notComparable(
                what: "the noise schedule", dense: first.betaSummary, pruned: second.betaSummary)
        }
        guard [1, 3, 4].contains(a.configuration.inChannels) else {
            throw ModelFolderError.noPictures(channels: a.configuration.inChannels)
        }
        try same("the conditioning", Self.text(a.classConditioning), Self.text(b.classConditioning))
        classes = try ClassChoice.resolved(choice, for: a.classConditioning)
    }

    private static func text(_ conditioning: ClassConditioning) -> String {
        switch conditioning {
        case .none: "none"
        case .numbers(let count?): "by \(count) classes"
        case .numbers(nil): "by numbers (class_embed_type: timestep)"
        case .vectors: "by vectors (class_embed_type: identity)"
        }
    }

    var warnings: [String] { dense.warnings + pruned.warnings + [swapWarning].compactMap { $0 } }

    /// A ratio above 1 is more often two flags in the wrong order than a model that grew by pruning.
    private var swapWarning: String? {
        let (first, second) = (dense.model.macs, pruned.model.macs)
        if second > first {
            return "the pruned model takes more multiply–accumulates than the dense one "
                + "(\(NumberText.compact(second)), \(NumberText.compact(first))): are --dense and --pruned swapped?"
        }
        guard second == first, dense.pruning != nil, pruned.pruning == nil else { return nil }
        return "the dense model was pruned and the pruned one never was: are --dense and --pruned swapped?"
    }

    private static func text(_ size: [Int]) -> String { size.map(String.init).joined(separator: "×") }
}

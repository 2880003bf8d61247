import Diffusion
import Foundation
import ModelFolders

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
        func same(_ what: String, _ first: some Equatable, _ second: some Equatable) throws {
            guard "\(first)" == "\(second)" else {
                throw EvaluationError.notComparable(what: what, dense: "\(first)", pruned: "\(second)")
            }
        }
        try same("the image size", a.size, b.size)
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

    var warnings: [String] { dense.warnings + pruned.warnings }
}

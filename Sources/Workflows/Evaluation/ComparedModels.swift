import Diffusion
import Foundation
import ModelFolders

/// Two models that draw pictures of one shape under one noise schedule.
struct ComparedModels {
    let dense: Pipeline
    let pruned: Pipeline
    let objective: DenoisingObjective

    /// - Throws: `EvaluationError` where the two cannot be compared.
    init(dense: Pipeline, pruned: Pipeline, classLabel: Int?) throws {
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
        try same("whether it takes a class", a.configuration.isClassConditional, b.configuration.isClassConditional)
        switch (a.configuration.isClassConditional, classLabel) {
        case (true, nil):
            throw EvaluationError.classLabel(got: "missing", expected: "one, as the models are class-conditional")
        case (false, let label?):
            throw EvaluationError.classLabel(got: "\(label)", expected: "none, as the models are not class-conditional")
        case (true, let label?):
            if let classes = a.configuration.numClassEmbeds, label >= classes {
                throw EvaluationError.classLabel(got: "\(label)", expected: "0...\(classes - 1)")
            }
        case (false, nil): break
        }
    }

    var warnings: [String] { dense.warnings + pruned.warnings }
}

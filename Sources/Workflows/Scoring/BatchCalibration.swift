import Diffusion
import Foundation
import ModelFolders
import Models
import Pruning
import TensorCore

/// The loss of one batch from a file: `sample` (clean x₀) [N,C,H,W], `noise` [N,C,H,W], `timestep` [N] and, for a
/// conditional model, `class_labels`.
final class BatchCalibration: PerSampleCalibration, StagedCalibration {
    private let model: UNet
    private let objective: DenoisingObjective
    private let images: DenoisingBatch
    /// Images a part: the parts are equal, so that the mean of their losses is the batch's.
    private let partSize: Int

    private static let largestPart = 64

    init(_ url: URL, pipeline: Pipeline) throws {
        model = pipeline.model
        objective = try DenoisingObjective(pipeline.scheduler)
        let file = try TensorFile(url)
        let channels = model.configuration.inChannels
        let sample = try file.images("sample", channels: channels)
        let noise = try file.images("noise", channels: channels)
        guard noise.shape == sample.shape else {
            throw TensorFileError.wrongShape(
                file: file.path, name: "noise", got: try file.shape("noise"),
                expected: "\(try file.shape("sample")), as 'sample'")
        }
        let count = sample.shape[0]
        let numbers = try file.numbers("timestep", count: count)
        let limit = objective.schedule.trainTimesteps
        if let bad = numbers.first(where: { !($0 >= 0 && $0 < Float(limit) && $0 == $0.rounded()) }) {
            throw TensorFileError.outOfRange(
                file: file.path, name: "timestep", got: "\(bad)",
                expected: "whole numbers in 0..<\(limit), the schedule's")
        }
        let labels = try file.classLabels(count: count)
        try file.check(model, sample: sample, timesteps: numbers, labels: labels)
        images = DenoisingBatch(clean: sample, noise: noise, timesteps: numbers.map { Int($0) }, classLabels: labels)
        partSize = (1...min(count, Self.largestPart)).last { count % $0 == 0 } ?? 1
        try MemoryEstimate.check(model, size: [sample.shape[1], sample.shape[2]], batch: partSize)
    }

    var batchCount: Int { images.count / partSize }
    var sampleCount: Int { images.count }
    var stageCount: Int { objective.schedule.trainTimesteps }

    func loss(batch: Int) -> Variable {
        objective.loss(of: model, images.images(batch * partSize..<(batch + 1) * partSize))
    }

    func loss(stage: Int) throws -> Variable {
        try model.check(timesteps: [stage])
        return objective.loss(
            of: model,
            DenoisingBatch(
                clean: images.clean, noise: images.noise, timesteps: Array(repeating: stage, count: images.count),
                classLabels: images.classLabels))
    }

    func loss(sample: Int) -> Variable { objective.loss(of: model, images.image(sample)) }
}

extension DenoisingBatch {
    /// The batch of images `range` alone.
    fileprivate func images(_ range: Range<Int>) -> DenoisingBatch {
        DenoisingBatch(
            clean: clean.rows(range), noise: noise.rows(range), timesteps: Array(timesteps[range]),
            classLabels: classLabels?.rows(range))
    }
}

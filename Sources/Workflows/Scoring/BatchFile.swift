import Diffusion
import Files
import Foundation
import ModelFolders
import Models

extension TaskCalibration {
    /// The loss of one batch from a file: `sample` (clean x₀) [N,C,H,W], `noise` [N,C,H,W], `timestep` [N] and, for a
    /// conditional model, `class_labels`.
    convenience init(file url: URL, pipeline: Pipeline) throws where Task == Denoising<UNet> {
        let model = pipeline.model
        let objective = try DenoisingObjective(pipeline.scheduler)
        let images = try DenoisingBatch(file: url, for: model, timestepCount: objective.schedule.trainTimesteps)
        // The parts are equal, so that the mean of their losses is the batch's.
        let partSize = (1...min(images.count, 64)).last { images.count % $0 == 0 } ?? 1
        try MemoryEstimate.check(model, size: [images.clean.shape[1], images.clean.shape[2]], batch: partSize)
        try self.init(
            Denoising(objective), network: model,
            batches: stride(from: 0, to: images.count, by: partSize).map { images.samples($0..<$0 + partSize) },
            stageBatch: images)
    }
}

extension DenoisingBatch {
    fileprivate init(file url: URL, for model: UNet, timestepCount: Int) throws {
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
        if let bad = numbers.first(where: { !($0 >= 0 && $0 < Float(timestepCount) && $0 == $0.rounded()) }) {
            throw TensorFileError.outOfRange(
                file: file.path, name: "timestep", got: bad.plain,
                expected: "whole numbers in 0..<\(timestepCount), the schedule's")
        }
        let labels = try file.classLabels(count: count)
        try file.check(model, sample: sample, timesteps: numbers, labels: labels)
        self.init(clean: sample, noise: noise, timesteps: numbers.map { Int($0) }, classLabels: labels)
    }
}

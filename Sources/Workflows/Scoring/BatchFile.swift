import Datasets
import Diffusion
import Files
import Foundation
import ModelFolders
import Models
import Training

extension Pipeline {
    /// `sample` (clean x₀) [N,C,H,W], `noise` [N,C,H,W], `timestep` [N] and, for a conditional model, `class_labels`.
    public func judgement(
        file url: URL
    ) throws -> (task: Denoising<UNet>, parts: [DenoisingBatch], whole: DenoisingBatch) {
        try DataConfiguration.checkPrediction(of: model)
        let objective = try DenoisingObjective(scheduler)
        let images = try DenoisingBatch(file: url, for: model, timestepCount: objective.schedule.trainTimesteps)
        let partSize = EqualParts.size(of: images.count)
        try MemoryEstimate.check(model, size: [images.clean.shape[1], images.clean.shape[2]], batch: partSize)
        return (Denoising(objective), EqualParts.parts(of: images, size: partSize), images)
    }
}

/// A batch of which the mean loss is the mean of its parts' losses.
enum EqualParts {
    /// The most samples of a part.
    private static var maximumSize: Int { 64 }

    static func size(of count: Int) -> Int { (1...max(1, min(count, maximumSize))).last { count % $0 == 0 } ?? 1 }

    static func parts<Batch: LearningBatch>(of batch: Batch, size: Int) -> [Batch] {
        stride(from: 0, to: batch.count, by: size).map { batch.samples($0..<$0 + size) }
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

import Diffusion
import Foundation
import ModelFolders
import Runs
import WeightFiles

/// One prediction of a model, file to file: `sample` [N,C,H,W], `timestep` [N] and, for a conditional model,
/// `class_labels` in; `prediction` [N,C′,H,W] out.
public struct PredictionWorkflow {
    private let pipeline: Pipeline
    private let input: URL
    private let output: URL
    private let progress: ProgressHandler?

    /// Images that go through the model together: bounds the memory, changes no bit.
    private static let batchSize = 16

    public init(_ pipeline: Pipeline, input: URL, output: URL, progress: ProgressHandler? = nil) {
        self.pipeline = pipeline
        self.input = input
        self.output = output
        self.progress = progress
    }

    /// - Returns: the prediction's shape, `[N, C′, H, W]`.
    /// - Throws: `TensorFileError`, `StorageError`, `SafetensorsError`.
    @discardableResult
    public func run() throws -> [Int] {
        try OutputFile.check(output)
        let model = pipeline.model
        let frozen = Frozen(model)
        let file = try TensorFile(input)
        let sample = try file.images("sample", channels: model.configuration.inChannels)
        let count = sample.shape[0]
        let timesteps = try file.numbers("timestep", count: count)
        let labels = try file.classLabels(count: count)
        try file.check(model, sample: sample, timesteps: timesteps, labels: labels)
        try MemoryEstimate.check(model, size: [sample.shape[1], sample.shape[2]], batch: min(count, Self.batchSize))

        var values: [Float] = []
        var shape: [Int] = []
        for start in stride(from: 0, to: count, by: Self.batchSize) {
            let range = start..<min(start + Self.batchSize, count)
            let prediction = frozen.prediction(
                at: sample.rows(range), timesteps: Array(timesteps[range]), classLabels: labels?.rows(range))
            guard prediction.allFinite else { throw TensorFileError.resultNotFinite(what: "the prediction") }
            let part = prediction.channelsFirst
            values += part.values
            shape = [count] + part.shape.dropFirst()
            progress?(ProgressUpdate(phase: "predicting", completed: range.upperBound, total: count))
        }
        try SafetensorsWriter.write([NamedTensor("prediction", shape: shape, floats: values)], to: output)
        return shape
    }
}

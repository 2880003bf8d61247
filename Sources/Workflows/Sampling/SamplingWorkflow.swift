import Diffusion
import Files
import Foundation
import Imagery
import ModelFolders
import Models
import Runs
import WeightFiles

/// Draws images into a folder: `images/000000.png`…, `grid.png`, and with given noise `samples.safetensors`.
public struct SamplingWorkflow {
    private let pipeline: Pipeline
    private let request: SamplingRequest
    private let noise: URL?
    private let context: RunContext

    /// The most images that the grid shows: those from the first.
    public static let gridLimit = 256

    /// - Parameters:
    ///   - pipeline: the model.
    ///   - request: which images, and how.
    ///   - noise: a file to read all noise from, instead of drawing it.
    ///   - context: the folder to write.
    public init(_ pipeline: Pipeline, _ request: SamplingRequest, noise: URL? = nil, in context: RunContext) {
        self.pipeline = pipeline
        self.request = request
        self.noise = noise
        self.context = context
    }

    /// Images and grid appear under their final names all at once.
    ///
    /// - Returns: the number of images.
    @discardableResult
    public func run() throws -> Int {
        let model = pipeline.model
        try request.validate(for: model)
        let sampler = try request.sampler.makeSampler(pipeline.scheduler, steps: request.steps)
        let given = try noise.map { try NoiseFile($0, model: model, sampler: sampler) }
        let count = request.count ?? given?.count ?? SamplingRequest.defaultCount
        if let given, count > given.count {
            throw RequestError.invalid(
                option: "--count", got: "\(count)", expected: "at most the \(given.count) images there is noise for")
        }
        try MemoryEstimate.check(model, size: model.size, batch: min(count, request.batchSize))

        return try context.writing {
            let drawing = ImageSampler(
                model: model, sampler: sampler, seed: UInt64(request.seed),
                classes: try ClassChoice.resolved(request.classes, for: model.classConditioning),
                batchSize: request.batchSize)
            try draw(count, with: drawing, noise: given?.noise)
            return count
        }
    }

    private func draw(_ count: Int, with drawing: ImageSampler<UNet>, noise: GivenNoise?) throws {
        var shown: [Image] = []
        let gridCount = min(count, gridCapacity(drawing.model.size))
        var raw: [Float] = []
        var rawShape: [Int] = []
        let steps = drawing.sampler.timesteps.count
        let batches = (count + request.batchSize - 1) / request.batchSize
        let reporter = ProgressReporter(
            context.progress,
            Timetable([.init("prediction", pieces: batches * steps, weight: 1, noun: "picture", count: count)]))
        reporter.at(ProgressUpdate(phase: "sampling", unit: "picture", completed: 1, total: count))
        try StagedOutput.write(into: context.output) { folder in
            for start in stride(from: 0, to: count, by: request.batchSize) {
                let range = start..<min(start + request.batchSize, count)
                let samples = try drawing.images(range, noise: noise) { step, _ in
                    reporter.finished(
                        0,
                        ProgressUpdate(
                            phase: "sampling", unit: "picture", completed: start + max(1, step * range.count / steps),
                            total: count, place: "step \(step) of \(steps)"))
                }
                if noise != nil {
                    let part = samples.channelsFirst
                    raw += part.values
                    rawShape = [count] + part.shape.dropFirst()
                }
                let images = try samples.images()
                try NumberedImages.write(images, to: folder.appendingPathComponent("images"), from: start)
                shown += images.prefix(max(0, gridCount - start))
            }
            if noise != nil {
                try SafetensorsWriter.write(
                    [NamedTensor("samples", shape: rawShape, floats: raw)],
                    to: folder.appendingPathComponent("samples.safetensors"))
            }
            try AtomicFile.write(
                PNG.encode(ClassGrid.layOut(shown, classes: drawing.classes)),
                to: folder.appendingPathComponent("grid.png"))
        }
    }

    /// As many as stay well below what a PNG may hold.
    private func gridCapacity(_ size: [Int]) -> Int {
        let scale = ImageGrid.scale(forSide: max(size[0], size[1]))
        let pixels = (size[0] * scale + 8) * (size[1] * scale + 8)
        return max(1, min(Self.gridLimit, PNG.maximumPixels / 2 / pixels))
    }
}

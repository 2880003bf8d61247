import Foundation
import Models
import TensorCore
import TestSupport
import Testing

/// A model folder among the fixtures, with the prediction that diffusers made from it.
struct PipelineFixture: CustomTestStringConvertible, Sendable {
    let url: URL

    var testDescription: String { url.lastPathComponent }

    /// As the first releases of diffusers wrote it.
    static let legacy = PipelineFixture(url: Fixtures.url("legacy/ddpm-root"))

    static func named(_ name: String) -> PipelineFixture {
        PipelineFixture(url: Fixtures.url("unet/\(name)"))
    }

    /// Every folder under `unet`, and the old one.
    static let all: [PipelineFixture] = {
        let folder = Fixtures.url("unet")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        let folders = names.sorted().map(named).filter {
            FileManager.default.fileExists(atPath: $0.url.appendingPathComponent("model_index.json").path)
        }
        return folders + [legacy]
    }()

    /// Largest deviation of the model's prediction from diffusers', in standard deviations of the latter.
    func deviation(of model: UNet) throws -> Double {
        let golden = try GoldenFile(contentsOf: url.appendingPathComponent("io.safetensors"))
        var labels: ClassLabels?
        if golden.has("class_labels") {
            let (values, shape) = (try golden.numbers("class_labels"), try golden.shape(of: "class_labels"))
            labels = shape.count == 2 ? .vectors(Tensor(values, shape: shape)) : .numbers(values)
        }
        let sample = Variable(try golden.tensor("sample", .image))
        let timesteps = try golden.numbers("timestep")
        let prediction = Autograd.withoutRecording { model(sample, timesteps: timesteps, classLabels: labels).value }
        let expected = try golden.tensor("prediction", .image)
        guard prediction.shape == expected.shape else { return .infinity }
        let values = expected.array.map(Double.init)
        let mean = values.reduce(0, +) / Double(values.count)
        let spread = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
        return zip(prediction.array, values).reduce(0) { max($0, abs(Double($1.0) - $1.1)) } / spread
    }
}

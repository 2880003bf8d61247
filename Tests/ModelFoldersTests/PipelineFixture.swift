import Foundation
import Models
import TensorCore
import TestSupport
import Testing
import WeightFiles

/// A model folder among the fixtures, with the prediction that diffusers made from it.
struct PipelineFixture: CustomTestStringConvertible, Sendable {
    let url: URL

    var testDescription: String { url.lastPathComponent }

    private static let fixtures = Fixtures.folder

    /// As the first releases of diffusers wrote it.
    static let legacy = PipelineFixture(url: fixtures.appendingPathComponent("legacy/ddpm-root"))

    static func named(_ name: String) -> PipelineFixture {
        PipelineFixture(url: fixtures.appendingPathComponent("unet/\(name)"))
    }

    /// Every folder under `unet`, and the old one.
    static let all: [PipelineFixture] = {
        let folder = fixtures.appendingPathComponent("unet")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        let folders = names.sorted().map(named).filter {
            FileManager.default.fileExists(atPath: $0.url.appendingPathComponent("model_index.json").path)
        }
        return folders + [legacy]
    }()

    /// Largest deviation of the model's prediction from diffusers', in standard deviations of the latter.
    func deviation(of model: UNet) throws -> Double {
        let io = try SafetensorsFile(contentsOf: url.appendingPathComponent("io.safetensors"))
        func numbers(_ name: String) throws -> [Float] {
            try io.elementType(of: name).isFloatingPoint ? io.floats(name) : io.integers(name).map { Float($0) }
        }
        var labels: ClassLabels?
        if io.contains("class_labels") {
            let (values, shape) = (try numbers("class_labels"), try io.shape(of: "class_labels"))
            labels = shape.count == 2 ? .vectors(Tensor(values, shape: shape)) : .numbers(values)
        }
        let sample = Variable(channelsLast(try io.floats("sample"), try io.shape(of: "sample")))
        let timesteps = try numbers("timestep")
        let prediction = Autograd.withoutRecording { model(sample, timesteps: timesteps, classLabels: labels).value }
        let expected = channelsLast(try io.floats("prediction"), try io.shape(of: "prediction"))
        guard prediction.shape == expected.shape else { return .infinity }
        let values = expected.array.map(Double.init)
        let mean = values.reduce(0, +) / Double(values.count)
        let spread = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
        return zip(prediction.array, values).reduce(0) { max($0, abs(Double($1.0) - $1.1)) } / spread
    }

    /// [N, C, H, W] → [N, H, W, C]
    private func channelsLast(_ values: [Float], _ shape: [Int]) -> Tensor {
        let (channels, pixels) = (shape[1], shape[2] * shape[3])
        let result = Tensor(uninitialized: [shape[0], shape[2], shape[3], channels])
        for index in 0..<result.count {
            let (image, inImage) = index.quotientAndRemainder(dividingBy: channels * pixels)
            let (pixel, channel) = inImage.quotientAndRemainder(dividingBy: channels)
            result.pointer[index] = values[(image * channels + channel) * pixels + pixel]
        }
        return result
    }
}

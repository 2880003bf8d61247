import Foundation
import Models
import TensorCore
import Testing
import WeightFiles

/// A pipeline folder under `Tests/Fixtures/unet` with the prediction that diffusers made from it.
struct UNetFixture {
    let name: String

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/unet")

    /// Every folder there is, so that a new one is tested without anyone adding it to a list.
    static let names: [String] = {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        return entries.filter {
            FileManager.default.fileExists(atPath: root.appendingPathComponent("\($0)/unet/config.json").path)
        }.sorted()
    }()

    private var folder: URL { Self.root.appendingPathComponent(name) }

    func configurationData() throws -> Data { try Data(contentsOf: folder.appendingPathComponent("unet/config.json")) }

    func configuration() throws -> UNetConfiguration {
        try JSONDecoder().decode(UNetConfiguration.self, from: configurationData())
    }

    func weights() throws -> any WeightSource {
        try Weights.open(folder.appendingPathComponent("unet/diffusion_pytorch_model.safetensors"))
    }

    func model() throws -> UNet {
        let model = try UNet(configuration())
        let weights = try weights()
        #expect(Set(weights.names) == Set(model.parameters.map(\.name)), "\(name)")
        for parameter in model.parameters {
            try #require(try weights.shape(of: parameter.name) == parameter.fileShape, "\(name): \(parameter.name)")
            parameter.load(fileValues: try weights.floats(parameter.name))
        }
        return model
    }

    struct Call {
        let sample: Tensor
        let timesteps: [Float]
        let labels: ClassLabels?
        /// `[B, H, W, C]`
        let prediction: Tensor
    }

    func call() throws -> Call {
        let io = try SafetensorsFile(contentsOf: folder.appendingPathComponent("io.safetensors"))
        func numbers(_ name: String) throws -> [Float] {
            try io.elementType(of: name).isFloatingPoint ? io.floats(name) : io.integers(name).map { Float($0) }
        }
        var labels: ClassLabels?
        if io.contains("class_labels") {
            let (values, shape) = (try numbers("class_labels"), try io.shape(of: "class_labels"))
            labels = shape.count == 2 ? .vectors(Tensor(values, shape: shape)) : .numbers(values)
        }
        return Call(
            sample: channelsLast(try io.floats("sample"), try io.shape(of: "sample")),
            timesteps: try numbers("timestep"), labels: labels,
            prediction: channelsLast(try io.floats("prediction"), try io.shape(of: "prediction")))
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

extension UNet {
    func predict(_ sample: Tensor, _ timesteps: [Float], _ labels: ClassLabels? = nil) -> Tensor {
        Autograd.withoutRecording { self(Variable(sample), timesteps: timesteps, classLabels: labels).value }
    }
}

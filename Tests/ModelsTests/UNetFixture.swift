import TestSupport
import Foundation
import Models
import TensorCore
import Testing
import WeightFiles

/// A pipeline folder under `Tests/Fixtures/unet` with the prediction that diffusers made from it.
struct UNetFixture {
    let name: String

    static let root = Fixtures.url("unet")

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
        let golden = try GoldenFile(contentsOf: folder.appendingPathComponent("io.safetensors"))
        var labels: ClassLabels?
        if golden.has("class_labels") {
            let (values, shape) = (try golden.numbers("class_labels"), try golden.shape(of: "class_labels"))
            labels = shape.count == 2 ? .vectors(Tensor(values, shape: shape)) : .numbers(values)
        }
        return Call(
            sample: try golden.tensor("sample", .image), timesteps: try golden.numbers("timestep"), labels: labels,
            prediction: try golden.tensor("prediction", .image))
    }
}

extension UNet {
    func predict(_ sample: Tensor, _ timesteps: [Float], _ labels: ClassLabels? = nil) -> Tensor {
        Autograd.withoutRecording { self(Variable(sample), timesteps: timesteps, classLabels: labels).value }
    }
}

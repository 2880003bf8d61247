import Files
import Foundation
import TestSupport
import WeightFiles

/// A copy of the plain fixture for a test to change: a U-Net of two levels and 8×8 pixels.
struct ModelCopy {
    let url: URL

    init(in folder: URL, of name: String = "plain") throws {
        url = folder.appendingPathComponent(name)
        try FileManager.default.copyItem(at: PipelineFixture.named(name).url, to: url)
    }

    var unet: URL { url.appendingPathComponent("unet") }
    var weights: URL { unet.appendingPathComponent("diffusion_pytorch_model.safetensors") }
    var scheduler: URL { url.appendingPathComponent("scheduler/scheduler_config.json") }
    var index: URL { url.appendingPathComponent("model_index.json") }

    func tensors() throws -> [NamedTensor] {
        let source = try SafetensorsFile(contentsOf: weights)
        return try source.names.map {
            NamedTensor($0, shape: try source.shape(of: $0), floats: try source.floats($0))
        }
    }

    /// Writes the weights anew, each tensor as `change` has it; nil leaves it out.
    func rewrite(_ change: (NamedTensor) -> NamedTensor?) throws {
        try SafetensorsWriter.write(tensors().compactMap(change), metadata: ["format": "pt"], to: weights)
    }

    func move(_ name: String, to other: String) throws {
        try FileManager.default.moveItem(at: unet.appendingPathComponent(name), to: unet.appendingPathComponent(other))
    }

    /// Writes a JSON file with some members in place of its own.
    func edit(_ file: URL, _ members: JSONValue) throws {
        try JSONFile.write(try JSONFile.read(file).overlaid(with: members), to: file, style: .foreign)
    }
}

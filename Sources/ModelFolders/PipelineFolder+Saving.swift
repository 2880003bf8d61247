import Files
import Foundation
import WeightFiles

extension PipelineFolder {
    /// Writes the folder whole or not at all, as diffusers' `DDPMPipeline.save_pretrained` lays it out. Where the record
    /// says that single weights were masked, their compact form lies beside the ordinary file (`SparseSafetensors`).
    public func save(_ pipeline: Pipeline) throws {
        try AtomicFolder.write(to: url) { folder in try Self.write(pipeline, into: folder) }
    }

    /// Fills an empty folder.
    static func write(_ pipeline: Pipeline, into folder: URL) throws {
        let unet = folder.appendingPathComponent("unet")
        let scheduler = folder.appendingPathComponent("scheduler")
        for part in [unet, scheduler] {
            try FileManager.default.createDirectory(at: part, withIntermediateDirectories: false)
        }
        let version = pipeline.scheduler.diffusersVersion
        let index: JSONValue = [
            "_class_name": .string(pipeline.scheduler.schedulerClass == .ddim ? "DDIMPipeline" : "DDPMPipeline"),
            "_diffusers_version": .string(version),
            "scheduler": ["diffusers", .string(pipeline.scheduler.schedulerClass.rawValue)],
            "unet": ["diffusers", "UNet2DModel"],
        ]
        try JSONFile.write(index, to: folder.appendingPathComponent(indexName))
        guard case .object(var configuration) = try JSONValue(encoding: pipeline.model.configuration) else { return }
        configuration["_class_name"] = "UNet2DModel"
        configuration["_diffusers_version"] = .string(version)
        try JSONFile.write(.object(configuration), to: unet.appendingPathComponent(configurationName))
        try JSONFile.write(JSONValue(encoding: pipeline.scheduler), to: scheduler.appendingPathComponent(schedulerName))
        let tensors = pipeline.model.parameters.map {
            NamedTensor($0.name, shape: $0.fileShape, floats: $0.fileValues(of: $0.variable.value))
        }
        try SafetensorsWriter.write(
            tensors, metadata: ["format": "pt"], to: unet.appendingPathComponent(weightsName))
        if pipeline.pruning?.achieved.weights != nil {
            try SparseSafetensors.write(tensors, to: unet.appendingPathComponent(sparseWeightsName))
        }
        if let record = pipeline.pruning {
            try JSONFile.write(JSONValue(encoding: record), to: folder.appendingPathComponent(recordName))
        }
    }
}

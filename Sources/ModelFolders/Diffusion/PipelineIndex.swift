import Files
import Foundation

/// `model_index.json`: which pipeline a folder is of, and of which parts it is made.
struct PipelineIndex {
    static let name = "model_index.json"

    /// The pipelines of diffusers that draw pictures with a U-Net of pixels and nothing else.
    static let pixelPipelines = [
        "DDPMPipeline", "DDIMPipeline", "ConsistencyModelPipeline", "KarrasVePipeline", "PNDMPipeline",
        "RePaintPipeline",
        "ScoreSdeVePipeline",
    ]
    /// What makes pictures of latents, by the names that pipelines give it.
    private static let decoders = ["vqvae", "vae", "movq", "first_stage_model"]

    /// nil where the index does not say.
    let pipelineClass: String?
    /// The class that reads `scheduler_config.json`; nil where the index does not say.
    let schedulerClass: String?

    /// Reads the index of a folder; nil where there is none.
    /// - Throws: `StorageError`; `ModelFolderError` for a pipeline that is not of a U-Net of pixels.
    init?(of folder: URL) throws {
        let json = try Self.read(folder)
        try Self.refuseLatents(in: json, of: folder)
        guard let json else { return nil }
        pipelineClass = json["_class_name"]?.stringValue
        schedulerClass = json["scheduler"]?.arrayValue.flatMap { $0.count == 2 ? $0[1].stringValue : nil }
        if let pipelineClass, !Self.pixelPipelines.contains(pipelineClass) {
            throw ModelFolderError.unknownPipeline(
                path: folder.appendingPathComponent(Self.name).path, got: pipelineClass,
                unet: folder.appendingPathComponent("unet").path)
        }
    }

    /// Refuses the parts of a pipeline of latents.
    /// - Throws: `StorageError`, `ModelFolderError.notPixels`.
    static func refuseLatents(of folder: URL) throws { try refuseLatents(in: read(folder), of: folder) }

    private static func read(_ folder: URL) throws -> JSONValue? {
        let url = folder.appendingPathComponent(name)
        guard ModelFolder.exists(url) else { return nil }
        return try ModelFolder.reading(url) { $0 }
    }

    private static func refuseLatents(in index: JSONValue?, of folder: URL) throws {
        for part in decoders {
            guard let name = className(of: part, in: index, beside: folder) else { continue }
            let pipeline = index?["_class_name"]?.stringValue.map { ", and the pipeline is a \(Quoted($0))" } ?? ""
            throw ModelFolderError.notPixels(
                path: folder.path,
                reason: "there is a \(part)\(name.isEmpty ? "" : " (\(Quoted(name)))") beside the U-Net\(pipeline)")
        }
    }

    /// The class of a part that the index names, or empty where only its folder tells of it; nil where there is none.
    private static func className(of part: String, in index: JSONValue?, beside folder: URL) -> String? {
        if let entry = index?[part] {
            if let name = entry.arrayValue?.last?.stringValue { return name }
            if entry.isNull || entry.arrayValue?.allSatisfy(\.isNull) == true { return nil }
        }
        return ModelFolder.exists(folder.appendingPathComponent("\(part)/config.json")) ? "" : nil
    }
}

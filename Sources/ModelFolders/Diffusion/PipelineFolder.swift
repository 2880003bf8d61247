import Diffusion
import Files
import Foundation
import Layers
import Models
import WeightFiles

/// Model folders as diffusers saves them: a pipeline folder (`model_index.json`, `unet/`, `scheduler/`), the older
/// layout with everything in the root, or a bare U-Net folder; plus `pruning.json` where the model was pruned.
public struct PipelineFolder: ModelFamily {
    public let url: URL

    public static let classNames = ["UNet2DModel", prunedClassName]
    public static let configurationPaths = ["unet/config.json", "config.json"]
    /// diffusers does without it.
    public static let takesUnnamed = true

    /// The class of `modeling_diffprune.py`, which lies beside the weights of a model that lost channels.
    static let prunedClassName = "PrunedUNet2DModel"
    static let modelingName = "modeling_diffprune"
    static let structureKey = "pruning"
    static let indexName = "model_index.json"
    static let schedulerName = "scheduler_config.json"
    static let weightsName = "diffusion_pytorch_model.safetensors"

    public init(_ url: URL) { self.url = url }

    /// Reads and checks everything: configuration, weights (names, shapes, finite values), scheduler, pruning record.
    public func load() throws -> Pipeline {
        try ModelFolder(url).check()
        var warnings: [String] = []
        let file = try configurationFile
        let configuration = try Self.readConfiguration(file, &warnings)
        let scheduler = try readScheduler(&warnings)
        let structure = try Self.readStructure(file)
        var record = try ModelFolder(url).readRecord()
        try ModelFolder.placing(file) { try configuration.validate() }
        let weights = try openWeights()
        if record == nil, structure == nil { try checkSize(of: weights, for: configuration) }
        let kept = try ModelFolder.placing(file) { try structure?.keptChannels() } ?? record?.keptChannels ?? [:]
        if let record, structure != nil, record.keptChannels != kept {
            throw ModelFolderError.configuration(
                path: file.path,
                reason: "'\(Self.structureKey)' has other channels than \(ModelFolder.recordName)")
        }
        // A record, too, may claim any widths: their memory is used once there are weights for all of them.
        let model = try ModelFolder.placing(file) { try Parameter.unset { try UNet(configuration, kept: kept) } }
        if record == nil, let structure {
            record = structure.record
            record?.groups = model.channelGroups.map {
                PruningRecord.Group(name: $0.name, originalWidth: $0.originalWidth, kept: $0.kept)
            }
        }
        try weights.load(into: model.parameters, renaming: AttentionNames.current)
        var pipeline = Pipeline(model: model, scheduler: scheduler, pruning: record)
        pipeline.warnings = warnings
        return pipeline
    }

    /// `pruning.json` alone; nil where there is none.
    public func record() throws -> PruningRecord? { try ModelFolder(url).readRecord() }

    // MARK: parts

    private var configurationFile: URL {
        get throws {
            guard let file = ModelFolder(url).first(of: Self.configurationPaths) else {
                throw ModelFolderError.notAModel(
                    path: url.path,
                    reason: "there is neither \(Self.configurationPaths.joined(separator: " nor ")) in it")
            }
            return file
        }
    }

    public var weightsFile: URL {
        get throws { try configurationFile.deletingLastPathComponent().appendingPathComponent(Self.weightsName) }
    }

    /// Reads a U-Net's `config.json` by itself.
    ///
    /// - Parameters:
    ///   - file: the configuration.
    ///   - warnings: gets a sentence for each key that was overlooked.
    public static func readConfiguration(_ file: URL, _ warnings: inout [String]) throws -> UNetConfiguration {
        let (configuration, unknown) = try ModelFolder.reading(file) { json in
            if let name = ModelFolder.className(in: json), !classNames.contains(name) {
                throw ModelFolderError.unsupportedClass(path: file.path, got: name, expected: "'\(classNames[0])'")
            }
            let known = Set(UNetConfiguration.knownKeys + [structureKey, "auto_map"])
            return (
                try json.decoded(as: UNetConfiguration.self),
                json.sortedMembers?.map(\.key).filter { !known.contains($0) && !$0.hasPrefix("_") } ?? []
            )
        }
        warnings += unknown.map {
            "\(file.path): key '\($0)' is not known and was ignored"
                + Spelling.hint(for: $0, among: UNetConfiguration.knownKeys)
        }
        return configuration
    }

    /// What a pruned model's configuration says of its channels; nil in any other.
    private static func readStructure(_ file: URL) throws -> PrunedStructure? {
        try ModelFolder.reading(file) { json in
            guard let structure = json[structureKey], structure != .null else { return nil }
            return try structure.decoded(as: PrunedStructure.self)
        }
    }

    private func readScheduler(_ warnings: inout [String]) throws -> SchedulerConfiguration {
        guard let file = ModelFolder(url).first(of: ["scheduler/\(Self.schedulerName)", Self.schedulerName]) else {
            warnings.append(
                "\(url.path): there is no \(Self.schedulerName); diffusers' defaults (linear, 1000 steps) are used")
            return SchedulerConfiguration()
        }
        let json = try JSONFile.read(file)
        let (configuration, notes) = try ModelFolder.placing(file) { try SchedulerConfiguration.decode(json) }
        warnings += notes.map { "\(file.path): \($0)" }
        return configuration
    }

    private func openWeights() throws -> any WeightSource {
        let file = try weightsFile
        let weights = WeightFolder(of: file)
        guard weights.exists else {
            let folder = file.deletingLastPathComponent()
            let pickle = folder.appendingPathComponent("diffusion_pytorch_model.bin")
            throw ModelFolderError.notAModel(
                path: url.path,
                reason: ModelFolder.exists(pickle)
                    ? "there is only a pickle (\(pickle.lastPathComponent)), which is not read as it can run code; "
                        + "save with safe_serialization=True"
                    : "there is no \(Self.weightsName) in \(folder.lastPathComponent)")
        }
        return try weights.open()
    }

    /// Refuses a configuration of a far larger model than the weights are of before memory is taken for it. Counts one
    /// 3×3 convolution of each ResNet block, so no model that is whole is refused.
    private func checkSize(of weights: any WeightSource, for configuration: UNetConfiguration) throws {
        let blocks = Double(2 * configuration.layersPerBlock + 1)
        let minimum = configuration.blockOutChannels.reduce(0.0) { $0 + 9 * blocks * Double($1) * Double($1) }
        let held = try weights.names.reduce(0.0) { $0 + (try weights.shape(of: $1).reduce(1.0) { $0 * Double($1) }) }
        guard held >= minimum else {
            throw ModelFolderError.tooFewWeights(path: weights.url.path, got: held, expected: minimum)
        }
    }

    // MARK: saving

    /// Writes the folder whole or not at all, as diffusers' `DDPMPipeline.save_pretrained` lays it out. Where the
    /// record says that single weights were masked, their compact form lies beside the ordinary file
    /// (`SparseSafetensors`).
    public func save(_ pipeline: Pipeline) throws {
        try AtomicFolder.write(to: url) { folder in try Self.write(pipeline, into: folder) }
    }

    /// Fills an empty folder.
    private static func write(_ pipeline: Pipeline, into folder: URL) throws {
        let unet = folder.appendingPathComponent("unet")
        let scheduler = folder.appendingPathComponent("scheduler")
        for part in [unet, scheduler] {
            try FileManager.default.createDirectory(at: part, withIntermediateDirectories: false)
        }
        let version = pipeline.scheduler.diffusersVersion
        let isPruned = pipeline.model.channelGroups.contains { $0.width < $0.originalWidth }
        let index: JSONValue = [
            "_class_name": .string(pipeline.scheduler.schedulerClass == .ddim ? "DDIMPipeline" : "DDPMPipeline"),
            "_diffusers_version": .string(version),
            "scheduler": ["diffusers", .string(pipeline.scheduler.schedulerClass.rawValue)],
            "unet": isPruned
                ? [.string(modelingName), .string(prunedClassName)] : ["diffusers", .string(classNames[0])],
        ]
        try JSONFile.write(index, to: folder.appendingPathComponent(indexName))
        var configuration = try JSONValue(encoding: pipeline.model.configuration).overlaid(
            with: [
                "_class_name": .string(isPruned ? prunedClassName : classNames[0]),
                "_diffusers_version": .string(version),
            ])
        if isPruned, let record = pipeline.pruning {
            let structure = PrunedStructure(of: pipeline.model, record: record)
            configuration = try configuration.overlaid(with: [
                "auto_map": ["AutoModel": .string("\(modelingName).\(prunedClassName)")],
                structureKey: JSONValue(encoding: structure),
            ])
            try AtomicFile.write(
                Data(PackageResources.modeling_diffprune_py), to: unet.appendingPathComponent(modelingName + ".py"),
                durably: false)
        }
        try JSONFile.write(configuration, to: unet.appendingPathComponent(ModelFolder.configurationName))
        try JSONFile.write(JSONValue(encoding: pipeline.scheduler), to: scheduler.appendingPathComponent(schedulerName))
        try WeightFolder(of: unet.appendingPathComponent(weightsName)).write(
            pipeline.model.parameters, compact: pipeline.pruning?.achieved.weights != nil)
        try ModelFolder(folder).write(pipeline.pruning)
    }
}

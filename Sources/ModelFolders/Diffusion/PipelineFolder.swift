import Diffusion
import Files
import Foundation
import Layers
import Models
import WeightFiles

/// Model folders as diffusers saves them: a pipeline folder (`model_index.json`, `unet/`, `scheduler/`), the older
/// layout with everything in the root, or a bare U-Net folder; plus `pruning.json` where the model was pruned. A
/// finished run's folder stands for the model in it.
public struct PipelineFolder: ModelFamily {
    public let url: URL
    /// Which variant of the weights is read, as "fp16"; nil for the ordinary ones, or the only ones.
    private var variant: String?

    public static let classNames = ["UNet2DModel", prunedClassName]
    public static let configurationPaths = ["unet/config.json", "config.json"]
    /// diffusers does without it.
    public static let takesUnnamed = true

    /// The class of `modeling_diffprune.py`, which lies beside the weights of a model that lost channels.
    static let prunedClassName = "PrunedUNet2DModel"
    static let modelingName = "modeling_diffprune"
    static let structureKey = "pruning"
    static let schedulerName = "scheduler_config.json"
    static let weightsName = "diffusion_pytorch_model.safetensors"

    public init(_ url: URL) { self.url = url }

    public func reading(variant: String?) -> PipelineFolder {
        var folder = self
        folder.variant = variant
        return folder
    }

    /// Reads and checks everything: configuration, weights (names, shapes, finite values), scheduler, pruning record.
    public func load() throws -> Pipeline {
        try ModelFolder(url).check()
        var warnings: [String] = []
        let file = try configurationFile
        let configuration = try Self.readConfiguration(file, &warnings)
        let origin = try readOrigin(&warnings)
        let structure = try Self.readStructure(file)
        var record = try ModelFolder(root).readRecord()
        try ModelFolder.placing(file) { try configuration.validate() }
        let weights = try weightFolder.open()
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
        let loaded = try weights.load(
            into: model.parameters, isRecorded: record != nil, renaming: AttentionNames.current)
        var pipeline = Pipeline(model: model, origin: origin, pruning: record)
        pipeline.weightTypes = loaded.types
        pipeline.warnings = warnings + loaded.notes
        return pipeline
    }

    /// `pruning.json` alone; nil where there is none.
    public func record() throws -> PruningRecord? { try ModelFolder(root).readRecord() }

    // MARK: parts

    /// The model folder itself, where `url` is that of a run.
    private var root: URL { get throws { try ModelFolder.located(url, with: Self.configurationPaths) } }

    private var configurationFile: URL {
        get throws {
            guard let file = try ModelFolder(root).first(of: Self.configurationPaths) else {
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

    private var weightFolder: WeightFolder { get throws { WeightFolder(of: try weightsFile, variant: variant) } }

    public func weightBytes() throws -> Int { try weightFolder.bytes() }

    public func variants() throws -> [String] {
        try ModelFolder(url).check()
        return try weightFolder.variants
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
            let quantization = json["quantization_config"]
            try require(
                quantization?.isNull ?? true, "quantization_config", got: quantization?.summary ?? "missing",
                expected: "none: quantised weights are not read")
            let known = Set(UNetConfiguration.knownKeys + [structureKey, "auto_map"])
            return (
                try json.decoded(as: UNetConfiguration.self),
                json.sortedMembers?.map(\.key).filter {
                    !known.contains($0) && !$0.hasPrefix("_") && $0 != "quantization_config"
                } ?? []
            )
        }
        warnings += unknown.map {
            "\(file.path): key \(Quoted($0)) is not known and was ignored"
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

    /// The pipeline's index and its scheduler.
    private func readOrigin(_ warnings: inout [String]) throws -> PipelineOrigin {
        let root = try root
        let index = try PipelineIndex(of: root)
        // A U-Net named by itself is the one of the pipeline around it.
        if index == nil, root.lastPathComponent == "unet" {
            try PipelineIndex.refuseLatents(of: root.deletingLastPathComponent())
        }
        guard let file = ModelFolder(root).first(of: ["scheduler/\(Self.schedulerName)", Self.schedulerName]) else {
            warnings.append(
                "\(url.path): there is no \(Self.schedulerName); diffusers' defaults (linear, 1000 steps) are used")
            return PipelineOrigin(
                scheduler: .schedule(SchedulerConfiguration(), warnings: []), pipelineClass: index?.pipelineClass)
        }
        let source = try JSONFile.read(file)
        var read = source
        let written = source["_class_name"]?.stringValue
        if source.objectValue != nil, let named = index?.schedulerClass, named != written {
            read = source.overlaid(with: ["_class_name": .string(named)])
            if let written {
                warnings.append(
                    "\(file.path): it is of a \(Quoted(written)) and read as the \(Quoted(named)) that "
                        + "\(PipelineIndex.name) names, as diffusers does")
            }
        }
        let reading = try ModelFolder.placing(file) { try SchedulerReading(read) }
        switch reading {
        case .schedule(_, let notes): warnings += notes.map { "\(file.path): \($0)" }
        case .none(let name, let reason):
            warnings.append(
                "\(file.path): \(Quoted(name)) gives no noise schedule: \(reason); the model can be counted, timed and "
                    + "called, and pruned without images, but not trained, scored by a loss or sampled")
        }
        return PipelineOrigin(
            scheduler: reading, schedulerSource: source, schedulerPath: file.path, pipelineClass: index?.pipelineClass)
    }

    /// Refuses a configuration of a far larger model than the weights are of before memory is taken for it. Counts one
    /// 3×3 convolution of each ResNet block, so no model that is whole is refused.
    private func checkSize(of weights: any WeightSource, for configuration: UNetConfiguration) throws {
        let blocks = Double(2 * configuration.layersPerBlock + 1)
        let minimum = configuration.blockOutChannels.reduce(0.0) { $0 + 9 * blocks * Double($1) * Double($1) }
        let held = try weights.names.reduce(0.0) { $0 + (try weights.shape(of: $1).reduce(1.0) { $0 * Double($1) }) }
        guard held < minimum else { return }
        if let evidence = try Self.narrowness(of: weights, for: configuration) {
            throw ModelFolderError.prunedWithoutRecord(path: weights.url.path, evidence: evidence)
        }
        throw ModelFolderError.tooFewWeights(path: weights.url.path, got: held, expected: minimum)
    }

    /// What shows that the weights are of the configured blocks, each with its channels or with fewer; nil where they
    /// are not.
    private static func narrowness(of weights: any WeightSource, for configuration: UNetConfiguration) throws -> String?
    {
        var evidence: String?
        for (level, width) in configuration.blockOutChannels.enumerated() {
            for layer in 0..<configuration.layersPerBlock {
                let end = "down_blocks.\(level).resnets.\(layer).conv2.weight"
                guard let name = weights.names.first(where: { $0 == end || $0.hasSuffix("." + end) }) else { continue }
                let shape = try weights.shape(of: name)
                guard shape.count == 4, shape[0] <= width, shape[1] <= width else { return nil }
                if shape[0] < width || shape[1] < width, evidence == nil {
                    evidence = "tensor \(Quoted(name)) has shape \(shape), expected [\(width), \(width), 3, 3]"
                }
            }
        }
        return evidence
    }

    // MARK: saving

    /// Writes the folder whole or not at all, as diffusers' `DDPMPipeline.save_pretrained` lays it out, the scheduler
    /// as it was read. Where the record says that single weights were masked, their compact form lies beside the
    /// ordinary file (`SparseSafetensors`).
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
        let origin = pipeline.origin
        let version = origin.diffusersVersion
        let usual = origin.schedulerClass == SchedulerClass.ddim.rawValue ? "DDIMPipeline" : "DDPMPipeline"
        let isPruned = pipeline.model.channelGroups.contains { $0.width < $0.originalWidth }
        let index: JSONValue = [
            "_class_name": .string(origin.pipelineClass ?? usual),
            "_diffusers_version": .string(version),
            "scheduler": ["diffusers", .string(origin.schedulerClass)],
            "unet": isPruned
                ? [.string(modelingName), .string(prunedClassName)] : ["diffusers", .string(classNames[0])],
        ]
        try JSONFile.write(index, to: folder.appendingPathComponent(PipelineIndex.name))
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
        try JSONFile.write(
            origin.schedulerSource ?? origin.meaning, to: scheduler.appendingPathComponent(schedulerName),
            style: .foreign)
        try WeightFolder(of: unet.appendingPathComponent(weightsName)).write(
            pipeline.model.parameters, as: pipeline.weightTypes, compact: pipeline.pruning?.achieved.weights != nil)
        try ModelFolder(folder).write(pipeline.pruning)
    }
}

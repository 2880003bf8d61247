import Diffusion
import Files
import Foundation
import Models
import WeightFiles

/// Model folders as diffusers saves them: a pipeline folder (`model_index.json`, `unet/`, `scheduler/`), the older layout
/// with everything in the root, or a bare U-Net folder; plus `pruning.json` where the model was pruned.
public struct PipelineFolder {
    public let url: URL

    static let configurationName = "config.json"
    static let indexName = "model_index.json"
    static let schedulerName = "scheduler_config.json"
    static let recordName = "pruning.json"
    static let weightsName = "diffusion_pytorch_model.safetensors"
    static let sparseWeightsName = "diffusion_pytorch_model.sparse.safetensors"

    public init(_ url: URL) { self.url = url }

    /// Reads and checks everything: configuration, weights (names, shapes, finite values), scheduler, pruning record.
    public func load() throws -> Pipeline {
        switch FileKind(at: url, followingLinks: true) {
        case .folder: break
        case .nothing: throw StorageError.missing(path: url.path)
        case .file, .other: throw StorageError.notAFolder(path: url.path)
        }
        var warnings: [String] = []
        let places = try places()
        let configuration = try Self.readConfiguration(
            places.unet.appendingPathComponent(Self.configurationName), &warnings)
        let scheduler = try readScheduler(places.scheduler, &warnings)
        let record = try readRecord()
        func described<Result>(_ body: () throws -> Result) throws -> Result {
            do {
                return try body()
            } catch {
                throw PipelineError.configuration(
                    path: places.unet.appendingPathComponent(Self.configurationName).path, reason: "\(error)")
            }
        }
        try described { try configuration.validate() }
        let weights = try openWeights(in: places.unet)
        if record == nil { try checkSize(of: weights, for: configuration) }
        let model = try described { try UNet(configuration, kept: record?.keptChannels ?? [:]) }
        try load(weights, into: model)
        var pipeline = Pipeline(model: model, scheduler: scheduler, pruning: record)
        pipeline.warnings = warnings
        return pipeline
    }

    /// Bytes of the weight files that are read.
    public func weightBytes() throws -> Int {
        let folder = try places().unet
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".safetensors") }
        let ordinary = names.filter { $0 != Self.sparseWeightsName }
        return try (ordinary.isEmpty ? names : ordinary).reduce(0) {
            try $0 + RegularFile(folder.appendingPathComponent($1)).size
        }
    }

    /// Bytes of the compact form of weights with zeros; nil where there is none.
    public func sparseWeightBytes() throws -> Int? {
        let file = try places().unet.appendingPathComponent(Self.sparseWeightsName)
        return FileKind(at: file) == .nothing ? nil : try RegularFile(file).size
    }

    // MARK: parts

    private func places() throws -> (unet: URL, scheduler: URL?) {
        let nested = url.appendingPathComponent("unet")
        let unet = Self.isThere(nested.appendingPathComponent(Self.configurationName)) ? nested : url
        guard Self.isThere(unet.appendingPathComponent(Self.configurationName)) else {
            throw PipelineError.notAModel(
                path: url.path,
                reason: "there is neither unet/\(Self.configurationName) nor \(Self.configurationName) in it")
        }
        let candidates = [
            url.appendingPathComponent("scheduler").appendingPathComponent(Self.schedulerName),
            url.appendingPathComponent(Self.schedulerName),
        ]
        return (unet, candidates.first(where: Self.isThere))
    }

    /// Whether anything has this name. What is no file, or a link to none, is then refused by whoever reads it, not taken
    /// for a file left out; links to files, of which download caches are made, are files.
    private static func isThere(_ url: URL) -> Bool { FileKind(at: url) != .nothing }

    /// Reads a U-Net's `config.json` by itself.
    ///
    /// - Parameter warnings: gets a sentence for each key that was overlooked.
    public static func readConfiguration(_ file: URL, _ warnings: inout [String]) throws -> UNetConfiguration {
        let json = try JSONFile.read(file)
        guard let members = json.objectValue else {
            throw PipelineError.configuration(path: file.path, reason: "expected an object of keys, got \(json.kind)")
        }
        if let name = members["_class_name"]?.stringValue, name != "UNet2DModel" {
            throw PipelineError.unsupportedClass(path: file.path, got: name, expected: "'UNet2DModel'")
        }
        let known = Set(UNetConfiguration.knownKeys)
        for key in members.keys.sorted() where !known.contains(key) && !key.hasPrefix("_") {
            warnings.append("\(file.path): key '\(key)' is not known and was ignored")
        }
        do {
            return try json.decoded(as: UNetConfiguration.self)
        } catch {
            throw PipelineError.configuration(path: file.path, reason: "\(error)")
        }
    }

    private func readScheduler(_ file: URL?, _ warnings: inout [String]) throws -> SchedulerConfiguration {
        guard let file else {
            warnings.append(
                "\(url.path): there is no \(Self.schedulerName); diffusers' defaults (linear, 1000 steps) are used")
            return SchedulerConfiguration()
        }
        let text = try JSONFile.read(file).text(.compact)
        do {
            let (configuration, notes) = try SchedulerConfiguration.decode(json: Data(text.utf8))
            warnings += notes.map { "\(file.path): \($0)" }
            return configuration
        } catch {
            throw PipelineError.configuration(path: file.path, reason: "\(error)")
        }
    }

    private func readRecord() throws -> PruningRecord? {
        let file = url.appendingPathComponent(Self.recordName)
        guard Self.isThere(file) else { return nil }
        let json = try JSONFile.read(file)
        guard let schema = json["schema"]?.intValue, schema == PruningRecord.currentSchema else {
            throw PipelineError.configuration(
                path: file.path,
                reason: "'schema' is \(json["schema"]?.summary ?? "missing"), expected \(PruningRecord.currentSchema)")
        }
        let record: PruningRecord
        do {
            record = try json.decoded(as: PruningRecord.self)
        } catch let error as SettingError {
            throw PipelineError.configuration(path: file.path, reason: "not a pruning record: \(error)")
        }
        var names: Set<String> = []
        for group in record.groups where !names.insert(group.name).inserted {
            throw PipelineError.duplicateGroup(path: file.path, name: group.name)
        }
        return record
    }

    private func openWeights(in folder: URL) throws -> any WeightSource {
        let file = folder.appendingPathComponent(Self.weightsName)
        let index = folder.appendingPathComponent(Self.weightsName + ".index.json")
        if !Self.isThere(file) && !Self.isThere(index) {
            let sparse = folder.appendingPathComponent(Self.sparseWeightsName)
            if Self.isThere(sparse) { return try SparseSafetensors(contentsOf: sparse) }
            let pickle = folder.appendingPathComponent("diffusion_pytorch_model.bin")
            let hint =
                Self.isThere(pickle)
                ? "there is only a pickle (\(pickle.lastPathComponent)), which is not read as it can run code; save with safe_serialization=True"
                : "there is no \(Self.weightsName) in \(folder.lastPathComponent)"
            throw PipelineError.notAModel(path: url.path, reason: hint)
        }
        return try Weights.open(file)
    }

    /// Refuses a configuration of a far larger model than the weights are of before memory is taken for it. Counts one
    /// 3×3 convolution of each ResNet block, so no model that is whole is refused.
    private func checkSize(of weights: any WeightSource, for configuration: UNetConfiguration) throws {
        let blocks = Double(2 * configuration.layersPerBlock + 1)
        let least = configuration.blockOutChannels.reduce(0.0) { $0 + 9 * blocks * Double($1) * Double($1) }
        let held = try weights.names.reduce(0.0) { $0 + (try weights.shape(of: $1).reduce(1.0) { $0 * Double($1) }) }
        guard held >= least else {
            throw PipelineError.tooFewWeights(path: weights.url.path, got: held, expected: least)
        }
    }

    private func load(_ weights: any WeightSource, into model: UNet) throws {
        let source = TensorNames(weights)
        let expected = Set(model.parameters.map(\.name))
        let missing = model.parameters.map(\.name).filter { source.name(for: $0) == nil }
        if let first = missing.first {
            throw PipelineError.missingTensor(path: weights.url.path, name: first, more: missing.count - 1)
        }
        let extra = source.currentNames.filter { !expected.contains($0) }
        if let first = extra.first {
            throw PipelineError.extraTensor(path: weights.url.path, name: first, more: extra.count - 1)
        }
        for parameter in model.parameters {
            guard let name = source.name(for: parameter.name) else { continue }
            let shape = try weights.shape(of: name)
            // The oldest files keep attention projections as 1×1 convolutions.
            let squeezed = shape.count == 4 && shape.suffix(2) == [1, 1] ? Array(shape.prefix(2)) : shape
            guard shape == parameter.fileShape || squeezed == parameter.fileShape else {
                throw PipelineError.wrongShape(
                    path: weights.url.path, name: name, got: shape, expected: parameter.fileShape)
            }
            let values = try weights.floats(name)
            guard values.allSatisfy(\.isFinite) else {
                throw PipelineError.notFinite(path: weights.url.path, name: name)
            }
            parameter.load(fileValues: values)
        }
    }
}

/// Tensor names of a file, with the attention names that diffusers used before 0.17 read as today's.
private struct TensorNames {
    private var actual: [String: String] = [:]
    private static let renamed = [
        "query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0",
    ]

    init(_ weights: any WeightSource) {
        for name in weights.names where Self.current(name) == name { actual[name] = name }
        // An old name beside today's for the same tensor has no place of its own.
        for name in weights.names where Self.current(name) != name {
            actual[actual[Self.current(name)] == nil ? Self.current(name) : name] = name
        }
    }

    var currentNames: [String] { actual.keys.sorted() }

    func name(for current: String) -> String? { actual[current] }

    private static func current(_ name: String) -> String {
        var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 3, parts.contains("attentions"), let new = renamed[parts[parts.count - 2]] else {
            return name
        }
        parts[parts.count - 2] = new
        return parts.joined(separator: ".")
    }
}

import Diffusion
import Files
import Foundation
import ModelFolders
import Models

/// A model to be timed. Every measurement makes it anew, so that none leaves anything behind for the next: trained
/// weights, gradients, moments.
public struct BenchmarkSubject {
    /// What tables call it.
    public let name: String
    /// The file or folder it comes from.
    public let source: String
    public let parameters: Int
    /// Multiply–accumulates of one prediction for one image of `imageSize`.
    public let macs: Double
    /// Height and width.
    public let imageSize: [Int]
    /// What can be timed of it.
    public let works: [BenchmarkWork]
    /// Of a U-Net; nil of other models, of which no variants can be made.
    public let configuration: UNetConfiguration?
    /// One sentence for each oddity that was overlooked on loading.
    public let warnings: [String]
    let make: () throws -> any TimedModel

    /// A model folder with its weights.
    ///
    /// - Parameters:
    ///   - name: what tables call it.
    ///   - folder: a model folder, or that of a finished run.
    ///   - variant: which variant of the weights is read, as "fp16"; nil for the ordinary ones, or the only ones.
    public init(_ name: String, folder: URL, variant: String? = nil) throws {
        if let classifier = try? ModelFamilies.folder(at: folder, variant: variant) as? ImageClassifierFolder {
            try self.init(name, source: folder.path) { try classifier.load() }
        } else {
            try self.init(name, source: folder.path) { try PipelineFolder(folder).reading(variant: variant).load() }
        }
    }

    /// A net described by a U-Net's `config.json`, with random weights and diffusers' default scheduler, or by a
    /// classifier's.
    public init(_ name: String, architecture file: URL, seed: UInt64) throws {
        if ImageClassifierFolder.isConfiguration(file) {
            try self.init(name, source: file.path) {
                let (configuration, warnings) = try ImageClassifierFolder.readConfiguration(file)
                var stored = StoredImageClassifier(model: try ImageClassifier(configuration))
                stored.model.initialize(seed: seed)
                stored.warnings = warnings
                return stored
            }
            return
        }
        var warnings: [String] = []
        let configuration = try PipelineFolder.readConfiguration(file, &warnings)
        do {
            try self.init(name, source: file.path, configuration: configuration, seed: seed, warnings: warnings)
        } catch let error as SettingError {
            throw ModelFolderError.configuration(path: file.path, reason: "\(error)")
        }
    }

    /// A net with random weights and diffusers' default scheduler.
    init(
        _ name: String, source: String, configuration: UNetConfiguration, seed: UInt64, warnings: [String] = []
    ) throws {
        try self.init(name, source: source) {
            let model = try UNet(configuration)
            model.initialize(seed: seed)
            var pipeline = Pipeline(model: model, scheduler: SchedulerConfiguration())
            pipeline.warnings = warnings
            return pipeline
        }
    }

    private init(_ name: String, source: String, make: @escaping () throws -> any TimedModel) throws {
        let model = try make()
        self.name = name
        self.source = source
        self.make = make
        parameters = model.network.parameterCount
        macs = model.network.macs
        imageSize = model.imageSize
        configuration = (model as? Pipeline)?.model.configuration
        works = model is Pipeline ? BenchmarkWork.allCases : BenchmarkWork.allCases.filter { $0 != .sampling }
        warnings = model.warnings
    }
}

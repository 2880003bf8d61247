import ArgumentParser
import Foundation
import ModelFolders
import Workflows

/// For commands that read a model.
struct ModelOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Model folder, as diffusers or this tool saves it; that of a finished run stands for its result.",
            valueName: "dir"))
    var model: String

    @OptionGroup var variant: VariantOption

    var url: URL { URL(fileURLWithPath: model) }

    /// A denoising model.
    ///
    /// - Parameter work: what it is for, as "sampling".
    func load(for work: String) throws -> Pipeline {
        try ModelKind.refuseClassifier(model, work)
        return try Self.load(model, variant: variant.variant)
    }

    /// A model of any kind.
    func load<Model: TrainableModel>(as _: Model.Type) throws -> Model {
        try Self.load(model, variant: variant.variant)
    }

    /// The model in a folder; what was overlooked on loading goes to standard error.
    static func load(_ path: String, variant: String?) throws -> Pipeline {
        let pipeline = try PipelineFolder(URL(fileURLWithPath: path)).reading(variant: variant).load()
        show(pipeline.warnings, of: path)
        return pipeline
    }

    /// The same of any kind.
    static func load<Model: TrainableModel>(_ path: String, variant: String?) throws -> Model {
        let folder = try ModelFamilies.folder(
            at: URL(fileURLWithPath: path), variant: variant, among: [Model.Folder.self])
        guard let folder = folder as? Model.Folder else { preconditionFailure("a folder of another family") }
        let model = try folder.load()
        show(model.warnings, of: path)
        return model
    }

    /// Writes what was overlooked on loading to standard error.
    static func show(_ warnings: [String], of path: String) {
        // One for each unknown key of a file, which may have thousands.
        for warning in warnings.prefix(20) { StandardStreams.warn(warning) }
        let more = warnings.count - 20
        if more > 0 { StandardStreams.warn("\(path): \(more) more of the same kind") }
    }
}

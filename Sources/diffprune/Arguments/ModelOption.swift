import ArgumentParser
import Foundation
import ModelFolders

/// For commands that read a model.
struct ModelOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Model folder, as diffusers or this tool saves it; that of a finished run stands for its result.",
            valueName: "dir"))
    var model: String

    @OptionGroup var variant: VariantOption

    var url: URL { URL(fileURLWithPath: model) }

    func load() throws -> Pipeline { try Self.load(model, variant: variant.variant) }

    /// The model in a folder; what was overlooked on loading goes to standard error.
    static func load(_ path: String, variant: String?) throws -> Pipeline {
        let pipeline = try PipelineFolder(URL(fileURLWithPath: path)).reading(variant: variant).load()
        show(pipeline.warnings, of: path)
        return pipeline
    }

    /// Writes what was overlooked on loading to standard error.
    static func show(_ warnings: [String], of path: String) {
        // One for each unknown key of a file, which may have thousands.
        for warning in warnings.prefix(20) { StandardStreams.warn(warning) }
        let more = warnings.count - 20
        if more > 0 { StandardStreams.warn("\(path): \(more) more of the same kind") }
    }
}

import ArgumentParser
import Foundation
import ModelFolders

/// For commands that read a model.
struct ModelOption: ParsableArguments {
    @Option(help: ArgumentHelp("Model folder, as diffusers or this tool saves it.", valueName: "dir"))
    var model: String

    var url: URL { URL(fileURLWithPath: model) }

    func load() throws -> Pipeline { try loadModel(model) }
}

/// The model in a folder; what was overlooked on loading goes to standard error.
func loadModel(_ path: String) throws -> Pipeline {
    let pipeline = try PipelineFolder(URL(fileURLWithPath: path)).load()
    // One for each unknown key of a file, which may have thousands.
    for warning in pipeline.warnings.prefix(20) { StandardStreams.complain("warning", warning) }
    let more = pipeline.warnings.count - 20
    if more > 0 { StandardStreams.complain("warning", "\(path): \(more) more of the same kind") }
    return pipeline
}

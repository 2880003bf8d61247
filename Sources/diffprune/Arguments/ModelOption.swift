import ArgumentParser
import Foundation
import Storage

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
    for warning in pipeline.warnings { StandardStreams.complain("warning", warning) }
    return pipeline
}

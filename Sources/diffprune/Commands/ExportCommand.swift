import ArgumentParser
import Export
import Files
import Foundation
import ModelFolders
import Runs

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes a model for other runtimes: a diffusers folder or an ONNX file.",
        discussion: """
            onnx: one file, opset 17, single precision, any batch size; its inputs are sample [batch,C,H,W], timestep \
            [batch] and, for a conditional model, class_labels, its output is prediction [batch,C,H,W]. \
            diffusers: a folder that DiffusionPipeline.from_pretrained opens, with trust_remote_code=True where \
            channels were removed.

            Example: diffprune export --model runs/half/model --format onnx --output half.onnx
            """)

    private enum Format: String, CaseIterable {
        case diffusers, onnx
    }

    @OptionGroup var model: ModelOption

    @Option(help: ArgumentHelp("diffusers or onnx.", valueName: "name"))
    var format: String

    @Option(help: ArgumentHelp("File (onnx) or folder (diffusers) to write.", valueName: "path"))
    var output: String

    @OptionGroup var general: GeneralOptions

    mutating func run() throws {
        general.apply()
        let url = URL(fileURLWithPath: output)
        let format = try Format(named: format, kind: "format")
        switch format {
        case .onnx:
            try OutputFile.check(url)
            let pipeline = try model.load(for: "exporting")
            try ONNXFile.write(pipeline.model, metadata: Self.metadata(pipeline), to: url)
        case .diffusers:
            guard FileKind(at: url) == .nothing else {
                throw RequestError.conflict("--output \(url.path) is there already, expected a new folder")
            }
            try PipelineFolder(url).save(model.load(for: "exporting"))
        }
        try StandardStreams.write("\(format.rawValue): \(url.path)\n")
    }

    /// What a program that loads the file has to know beside its inputs and outputs.
    private static func metadata(_ pipeline: Pipeline) throws -> [(String, String)] {
        var entries: [(String, String)] = []
        // Calling a model takes no noise schedule, and there may be none.
        if let scheduler = try? pipeline.scheduler {
            entries = [
                ("prediction_type", scheduler.predictionType.rawValue),
                ("scheduler", try JSONValue(encoding: scheduler).text(.compact)),
            ]
        }
        if let pruning = pipeline.pruning { entries.append(("pruning_method", pruning.method)) }
        return entries
    }
}

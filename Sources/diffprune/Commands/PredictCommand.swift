import ArgumentParser
import Foundation
import Workflows

struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Makes one prediction, file to file, to check a port against another framework.",
        discussion: """
            The input is a safetensors file of sample [N,C,H,W], timestep [N] (int64 or float32) and, for a \
            conditional model, class_labels [N] or [N,width]; the output holds prediction [N,C,H,W], float32.

            Example: diffprune predict --model runs/fashion/model --input batch.safetensors --output \
            prediction.safetensors
            """)

    @OptionGroup var model: ModelOption

    @Option(help: ArgumentHelp("Safetensors file to read.", valueName: "file"))
    var input: String

    @Option(help: ArgumentHelp("Safetensors file to write.", valueName: "file"))
    var output: String

    @OptionGroup var general: GeneralOptions

    mutating func run() throws {
        general.apply()
        let url = URL(fileURLWithPath: output)
        let shape = try PredictionWorkflow(
            model.load(for: "predicting noise"), input: URL(fileURLWithPath: input), output: url,
            progress: general.progress
        ).run()
        try StandardStreams.write("prediction \(shape): \(url.path)\n")
    }
}

import ArgumentParser
import Files
import Foundation
import ModelFolders
import Reports
import Workflows

struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Counts a model: parameters, MACs, bytes, channel groups, and what pruning achieved.",
        discussion: "Example: diffprune info --model runs/half/model")

    @OptionGroup var model: ModelOption

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var general: GeneralOptions

    mutating func run() throws {
        general.apply()
        let information = try ModelInformation(model.load(), folder: PipelineFolder(model.url))
        try StandardStreams.write(
            json ? JSONValue(encoding: information).text() + "\n" : Self.text(information))
    }

    private static func text(_ information: ModelInformation) throws -> String {
        let size = information.imageSize.map(String.init).joined(separator: "×")
        var text = """
            parameters  \(NumberText.short(Double(information.parameters)))
            MACs        \(NumberText.short(information.macs)) for one \(size) image and one step
            file size   \(NumberText.bytes(Double(information.bytes)))
            channels    \(information.inChannels) in, \(information.outChannels) out, \(information.channels) prunable
            scheduler   \(information.scheduler), \(information.trainTimesteps) timesteps, predicts \
            \(information.predictionType)


            """
        if information.nonzeroWeights < information.maskableWeights {
            let share = Double(information.nonzeroWeights) / Double(information.maskableWeights)
            text += "non-zero    \(NumberText.percent(share, decimals: 1)) of "
            text += "\(NumberText.short(Double(information.maskableWeights))) weights"
            if let bytes = information.sparseBytes { text += ", compact file \(NumberText.bytes(Double(bytes)))" }
            text += "; dense kernels gain no time from scattered zeros\n\n"
        }
        if let pruning = information.pruning {
            let asked = "\(pruning.asked.quantity)=\(pruning.asked.value)"
            text += "pruned by \(pruning.method) (seed \(pruning.seed)), asked for \(asked)\n"
            text += try achievedTable(pruning.achieved) + "\n"
        }
        var table = TextTable(columns: [
            .init("channel group"), .init("original", .right), .init("now", .right), .init("left", .right),
        ])
        for group in information.groups {
            try table.append([
                group.name, "\(group.originalWidth)", "\(group.width)",
                NumberText.percent(Double(group.width) / Double(max(group.originalWidth, 1)), decimals: 0),
            ])
        }
        return text + table.text
    }
}

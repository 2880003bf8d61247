import ArgumentParser
import Files
import Foundation
import ModelFolders
import Reports
import Runs
import Workflows

struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info",
        abstract: "Counts a model: parameters, MACs, bytes, channel groups, and what pruning achieved.",
        discussion: "Example: diffprune info runs/half/model")

    @Option(help: ArgumentHelp("Model folder, as diffusers or this tool saves it.", valueName: "dir"))
    var model: String?

    @Argument(help: ArgumentHelp("The same without --model.", valueName: "dir"))
    var folder: String?

    @OptionGroup var variant: VariantOption

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var general: GeneralOptions

    mutating func run() throws {
        general.apply()
        guard let path = model ?? folder, model == nil || folder == nil else {
            throw RequestError.conflict(
                model == nil
                    ? "--model is missing, expected the folder of a model"
                    : "two models are given, '\(model ?? "")' and '\(folder ?? "")', expected one of them")
        }
        let information = try Self.information(
            ModelFamilies.folder(at: URL(fileURLWithPath: path), variant: variant.variant))
        ModelOption.show(information.warnings, of: path)
        try StandardStreams.write(json ? information.json().text() + "\n" : Self.text(information))
    }

    private static func information(_ folder: some ModelFamily) throws -> ModelInformation {
        try ModelInformation(folder)
    }

    private static func text(_ information: ModelInformation) throws -> String {
        var rows = [
            ("model", information.className),
            ("parameters", NumberText.short(Double(information.parameters))),
            ("MACs", "\(NumberText.short(information.macs)) for one image and one call"),
            ("file size", "\(NumberText.bytes(Double(information.bytes))), \(information.weightTypes.summary)"),
            ("channels", "\(information.channels) prunable"),
        ]
        rows += information.summary.map { ($0.title, $0.text) }
        let zeros = information.maskableWeights - information.nonzeroWeights
        // A zero or two are in many a dense model.
        if zeros * 2000 > information.maskableWeights {
            let share = Double(information.nonzeroWeights) / Double(information.maskableWeights)
            let compact = information.sparseBytes.map { ", compact file \(NumberText.bytes(Double($0)))" } ?? ""
            rows.append(
                (
                    "non-zero",
                    "\(NumberText.percent(share, decimals: 1)) of "
                        + "\(NumberText.short(Double(information.maskableWeights))) weights\(compact); "
                        + "dense kernels gain no time from scattered zeros"
                ))
        }
        let width = rows.reduce(0) { max($0, $1.0.count) }
        var text = rows.reduce(into: "") {
            $0 += $1.0 + String(repeating: " ", count: width + 2 - $1.0.count) + $1.1 + "\n"
        }
        text += "\n"
        if let pruning = information.pruning {
            for earlier in pruning.history ?? [] {
                text += "pruned before by \(earlier.method) (seed \(earlier.seed)), asked for \(earlier.asked.text)\n"
            }
            text += "pruned by \(pruning.method) (seed \(pruning.seed)), asked for \(pruning.request)"
            text += pruning.achievedRequest.map { ", achieved \($0)\n" } ?? "\n"
            text += try AchievedTable.text(pruning) + "\n"
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

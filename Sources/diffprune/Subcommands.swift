import ArgumentParser
import Workflows

/// Every command there is, in the order of the help.
enum Subcommands {
    static let all: [any ParsableCommand.Type] = [
        QuickstartCommand.self,
        TrainCommand.self,
        SampleCommand.self,
        PruneCommand.self,
        FinetuneCommand.self,
        EvaluateCommand.self,
        PredictCommand.self,
        ScoreCommand.self,
        InfoCommand.self,
        MethodsCommand.self,
    ]

    /// Says of a mistyped command what it was meant to be; the parser would call it an unexpected argument.
    static func check(_ arguments: [String]) throws {
        guard let name = arguments.first, !name.hasPrefix("-") else { return }
        let names = all.map { $0.configuration.commandName ?? $0._commandName } + ["help"]
        guard !names.contains(name) else { return }
        throw RequestError.unknown(kind: "command", name: name, legal: names)
    }
}

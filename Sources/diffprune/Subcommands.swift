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
        TrainFeaturesCommand.self,
        PredictCommand.self,
        ScoreCommand.self,
        InfoCommand.self,
        BenchCommand.self,
        MethodsCommand.self,
    ]

    /// Says of a mistyped option what it was meant to be; the parser would name a required one that is missing first.
    static func checkOptions(_ arguments: [String]) throws {
        guard let name = arguments.first, let command = all.first(where: { $0.configuration.commandName == name })
        else { return }
        let legal = options(of: command)
        for argument in arguments.dropFirst().prefix(while: { $0 != "--" }) where argument.hasPrefix("--") {
            let option = String(argument.prefix { $0 != "=" })
            if !legal.contains(option) { throw RequestError.unknown(kind: "option", name: option, legal: legal) }
        }
    }

    /// The long names in a command's help: the usage line leaves them out when there are many.
    static func options(of command: any ParsableCommand.Type) -> [String] {
        let lines = Diffprune.helpMessage(for: command).split(separator: "\n")
        return lines.filter { $0.hasPrefix("  -") }.flatMap { line in
            line.split { " ,".contains($0) }.prefix { $0.hasPrefix("-") }.filter { $0.hasPrefix("--") }.map(String.init)
        }
    }

    /// Says of a mistyped command what it was meant to be; the parser would call it an unexpected argument.
    static func checkCommand(_ arguments: [String]) throws {
        guard let name = arguments.first, !name.hasPrefix("-") else { return }
        let names = all.compactMap { $0.configuration.commandName } + ["help"]
        guard !names.contains(name) else { return }
        throw RequestError.unknown(kind: "command", name: name, legal: names)
    }
}

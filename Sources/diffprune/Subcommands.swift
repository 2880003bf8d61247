import ArgumentParser
import Files

/// Every command there is, in the order of the help.
enum Subcommands {
    static let all: [any ParsableCommand.Type] = [
        QuickstartCommand.self,
        TrainCommand.self,
        SampleCommand.self,
        PruneCommand.self,
        FinetuneCommand.self,
        EvaluateCommand.self,
        CompareCommand.self,
        LawCommand.self,
        SensitivityCommand.self,
        TrainFeaturesCommand.self,
        PredictCommand.self,
        ScoreCommand.self,
        ExportCommand.self,
        InfoCommand.self,
        BenchCommand.self,
        MethodsCommand.self,
    ]

    /// Says of a mistyped option what it was meant to be; the parser would name a required one that is missing first.
    static func checkOptions(_ arguments: [String]) throws {
        guard let name = arguments.first, let command = all.first(where: { $0.configuration.commandName == name })
        else { return }
        // The list of options in the help; the usage line leaves them out where there are many.
        let lines = Diffprune.helpMessage(for: command).split(separator: "\n")
        let legal =
            lines.filter { $0.hasPrefix("  --") }.compactMap { $0.split(separator: " ").first.map(String.init) }
            + ["--help"]
        for argument in arguments.dropFirst().prefix(while: { $0 != "--" }) where argument.hasPrefix("--") {
            let option = String(argument.prefix { $0 != "=" })
            if !legal.contains(option) { throw UnknownName(kind: "option", name: option, legal: legal) }
        }
    }

    /// Says of a mistyped command what it was meant to be; the parser would call it an unexpected argument.
    static func checkCommand(_ arguments: [String]) throws {
        guard let name = arguments.first, !name.hasPrefix("-") else { return }
        let names = all.compactMap { $0.configuration.commandName } + ["help"]
        // The parser shows the overview to whoever asks for help with what is not there.
        let asked = name == "help" ? arguments.dropFirst().first { !$0.hasPrefix("-") } : name
        guard let asked, !names.contains(asked) else { return }
        throw UnknownName(kind: "command", name: asked, legal: names)
    }
}

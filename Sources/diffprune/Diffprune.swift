import ArgumentParser
import Files
import Foundation

@main
struct Diffprune: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diffprune",
        abstract: "Prunes diffusion models, fine-tunes what is left, and measures what that cost.",
        discussion: """
            Exit status: 0 done, \(ExitStatus.usage) wrong usage or configuration, \(ExitStatus.data) unusable files \
            or data. A signal ends it as it ends any program, once unfinished files are removed. Results go to \
            standard output, progress and warnings to standard error.
            """,
        subcommands: Subcommands.all)

    static func main() {
        StandardStreams.prepare()
        Interruption.prepare()
        Foundation.exit(status(of: Array(CommandLine.arguments.dropFirst())))
    }

    /// Runs a command line and says how it ended.
    private static func status(of arguments: [String]) -> Int32 {
        var isParsed = false
        do {
            try Subcommands.checkCommand(arguments)
            try Subcommands.checkOptions(arguments)
            var command = try parseAsRoot(arguments)
            isParsed = true
            try command.run()
            return ExitStatus.success
        } catch  where exitCode(for: error) == .success {
            return showHelp(fullMessage(for: error))
        } catch {
            let failure =
                isParsed || error is UnknownName
                ? CommandFailure(error) : CommandFailure(message: message(for: error), status: ExitStatus.usage)
            StandardStreams.fail(failure.message)
            return failure.status
        }
    }

    /// Help comes from the parser as an error that is none.
    private static func showHelp(_ text: String) -> Int32 {
        do {
            try StandardStreams.write(text + "\n")
            return ExitStatus.success
        } catch {
            StandardStreams.fail("\(error)")
            return ExitStatus.data
        }
    }
}

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
            or data. On Ctrl-C (and SIGTERM, SIGHUP) a run ends after its step, saved, and says the command that goes \
            on; anything else, or on the second, ends at once and leaves nothing unfinished. Results go to standard \
            output, progress and warnings to standard error.
            """,
        version: Provenance.currentVersion,
        subcommands: Subcommands.all)

    static func main() {
        RoomyStack.run {
            StandardStreams.prepare()
            MemoryShortage.prepare()
            ProcessorTime.prepare()
            Signals.prepare()
            Foundation.exit(status(of: ProgramArguments.all))
        }
    }

    /// Runs a command line and says how it ended.
    private static func status(of arguments: [String]) -> Int32 {
        var isParsed = false
        do {
            if arguments.isEmpty {
                // A script that lost its arguments must not take this for work done.
                let shown = showHelp(helpMessage())
                return shown == ExitStatus.success ? ExitStatus.usage : shown
            }
            try Subcommands.checkCommand(arguments)
            try Subcommands.checkOptions(arguments)
            var command = try parseAsRoot(arguments)
            isParsed = true
            try command.run()
            return ExitStatus.success
        } catch  where exitCode(for: error) == .success {
            return showHelp(fullMessage(for: error))
        } catch let stop as StoppedCommand {
            StandardStreams.say(stop.message)
            Signals.endStoppedRun()
        } catch {
            let failure =
                isParsed || error is UnknownName
                ? CommandFailure(error)
                : CommandFailure(message: ParserMessage.worded(message(for: error)), status: ExitStatus.usage)
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

import ArgumentParser
import Runs
import TensorCore

/// What every command takes.
struct GeneralOptions: ParsableArguments {
    @Flag(help: "Show no progress.")
    var quiet = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Threads to compute on, 1...256; results do not depend on it.", valueName: "n"))
    var threads: Int?

    mutating func validate() throws {
        if let threads, !(1...256).contains(threads) {
            throw ValidationError("--threads is \(threads), expected 1...256")
        }
    }

    /// Sets the engine up; called before any work.
    func apply() {
        if let threads { Engine.threads = threads }
        if let problem = Engine.instructionSetError { StandardStreams.warn(problem) }
    }

    /// The same again, for a command that goes on with this one.
    var repeated: [String] { (threads.map { ["--threads", "\($0)"] } ?? []) + (quiet ? ["--quiet"] : []) }

    var progress: ProgressHandler? { ProgressPrinter.handler(quiet: quiet) }

    var warning: WarningHandler { { StandardStreams.warn($0) } }
}

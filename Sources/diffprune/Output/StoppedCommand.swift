import Runs

/// A command that stopped where it can be gone on with.
struct StoppedCommand: Error {
    /// One line: what was reached, and the command that goes on.
    let message: String

    init(_ stop: RunStopped, goOnWith command: String) { message = "\(stop); go on with: \(command)" }
}

/// Command lines that can be typed in a shell.
enum ShellCommand {
    /// The one that was given, as `diffprune`.
    static var given: String { (["diffprune"] + CommandLine.arguments.dropFirst().map(quoted)).joined(separator: " ") }

    /// The one that was given, by the program as it was called, with more words.
    static func given(adding words: [String]) -> String {
        (CommandLine.arguments + words).map(quoted).joined(separator: " ")
    }

    /// Goes on with the run in `output`, by the program as it was called.
    static func resuming(_ command: String, output: String, _ others: [String] = []) -> String {
        let program = CommandLine.arguments.first ?? "diffprune"
        return ([program, command, "--output", output, "--resume"] + others).map(quoted).joined(separator: " ")
    }

    /// A word that a shell reads as this text.
    static func quoted(_ word: String) -> String {
        let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=,:+@%")
        guard word.isEmpty || !word.allSatisfy(plain.contains) else { return word }
        return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}

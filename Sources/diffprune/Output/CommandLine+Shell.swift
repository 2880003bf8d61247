extension CommandLine {
    /// The command line as it can be typed again in a shell.
    static var shellText: String { shellText(["diffprune"] + ProgramArguments.all) }

    /// The same by the program as it was called, with more words.
    static func shellText(adding words: [String]) -> String { shellText([arguments.first ?? "diffprune"] + ProgramArguments.all + words) }

    /// A command that goes on with the run in `output`, by the program as it was called.
    static func resuming(_ command: String, output: String, _ others: [String]) -> String {
        shellText([arguments.first ?? "diffprune", command, "--output", output, "--resume"] + others)
    }

    /// Words in quotes where a shell would read them as something else.
    private static func shellText(_ words: [String]) -> String {
        let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=,:+@%")
        return words.map { word in
            !word.isEmpty && word.allSatisfy(plain.contains)
                ? word
                : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
        }.joined(separator: " ")
    }
}

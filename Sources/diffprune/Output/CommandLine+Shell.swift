extension CommandLine {
    /// The command line as it can be typed again in a shell.
    static var shellText: String {
        let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=,:+@%")
        let words = arguments.dropFirst().map { word in
            !word.isEmpty && word.allSatisfy(plain.contains)
                ? word
                : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
        }
        return (["diffprune"] + words).joined(separator: " ")
    }
}

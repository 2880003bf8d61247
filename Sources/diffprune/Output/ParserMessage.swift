/// What the parser of arguments says, in the words of all other errors: what was got, and what was expected.
enum ParserMessage {
    static func worded(_ message: String) -> String {
        // The value 'many' is invalid for '--threads <n>'
        guard message.hasPrefix("The value '"), let middle = message.range(of: "' is invalid for '") else {
            return message
        }
        let got = message[..<middle.lowerBound].dropFirst("The value '".count)
        let option = message[middle.upperBound...].prefix { $0 != "'" }
        let parts = option.split(separator: " ", maxSplits: 1)
        guard let name = parts.first, name.hasPrefix("-"), parts.count == 2 else { return message }
        let expected = wholeNumbers.contains(String(parts[1])) ? "a whole number" : "a number"
        return "\(name) is '\(got)', expected \(expected)"
    }

    /// What the help calls the values of options that count.
    private static let wholeNumbers: Set<String> = ["<n>", "<s>"]
}

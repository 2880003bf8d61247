import Files

/// One `--set section.key=value`. What a value is depends on the key: where text is expected it is taken as it stands,
/// so that a folder may be called `set #2`, `2024` or `yes`; everywhere else it is YAML.
struct ConfigurationOverride {
    /// The parts of the key, at least one.
    let keys: [String]
    private let text: String
    /// For errors.
    let source: String

    /// - Throws: `ConfigurationError.unreadable` for what is not KEY=VALUE.
    init(_ override: String) throws {
        let parts = override.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        source = "--set \(override.prefix(200))\(override.count > 200 ? "…" : "")"
        keys = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !keys.contains(""), keys.count <= ConfigurationDocument.maximumDepth else {
            throw ConfigurationError.unreadable(
                source: source, reason: "expected KEY=VALUE, as in training.steps=1000")
        }
        text = parts[1]
    }

    /// The value of a key that holds text: one pair of quotes around it is left out.
    var textValue: String {
        guard text.utf8.count >= 2, let quote = text.first, quote == text.last, quote == "\"" || quote == "'" else {
            return text
        }
        return String(text.dropFirst().dropLast())
    }

    /// - Parameter default: what stands at the key unless it is set; nil where that is not known.
    func value(over default: JSONValue?) throws -> JSONValue {
        if case .string? = `default` { return .string(textValue) }
        let value = try JSONValue(yaml: text, source: source)
        return value == [:] ? "" : value
    }
}

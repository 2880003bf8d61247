import Files

/// Configuration values laid over others.
extension JSONValue {
    /// What may stand where `self`, a default, stands: in the words of people who write configurations.
    private var expectation: String {
        switch self {
        case .null: "null"
        case .bool: "true or false"
        case .int: "a whole number"
        case .double: "a number"
        case .string: "text (in quotes where it would be read as something else)"
        case .array: "a list"
        case .object: "a section of keys"
        }
    }

    /// The keys of all sections below, each before those within it: "optimizer", "optimizer.kind".
    package var dottedKeys: [String] {
        (sortedMembers ?? []).flatMap { key, value in [key] + value.dottedKeys.map { "\(key).\($0)" } }
    }

    package func value(at path: [String]) -> JSONValue? {
        path.reduce(Optional(self)) { value, key in value?[key] }
    }

    /// `self` (defaults) with the values of `other` in their place; keys that the defaults lack are refused.
    package func merging(_ other: JSONValue, source: String, path: String = "") throws -> JSONValue {
        guard case .object(var result) = self else { return other }
        guard let values = other.sortedMembers else {
            if other == .null { return self }
            throw ConfigurationError.invalid(
                source: source, key: path.isEmpty ? "the whole file" : path, got: other.summary,
                expected: "a section of keys")
        }
        for (key, value) in values {
            let place = path.isEmpty ? key : "\(path).\(key)"
            guard let old = result[key] else {
                throw ConfigurationError.unknownKey(
                    source: source, key: place,
                    nearest: Synonyms.nearest(to: key, among: dottedKeys)
                        .map { path.isEmpty ? $0 : "\(path).\($0)" }, legal: result.keys.sorted())
            }
            let merged = try old.merging(value, source: source, path: place)
            guard merged.fits(old) else {
                throw ConfigurationError.invalid(
                    source: source, key: place, got: merged.summary, expected: old.expectation)
            }
            result[key] = merged
        }
        return .object(result)
    }

    /// Whether a value may stand where `old`, a default, stood.
    private func fits(_ old: JSONValue) -> Bool {
        switch (old, self) {
        case (.null, _), (_, .null): true
        case (.bool, .bool), (.int, .int), (.string, .string), (.array, .array), (.object, .object): true
        case (.double, .double), (.double, .int), (.int, .double): true
        default: false
        }
    }
}

import Files

/// Configurations spell keys in snake_case, types in camelCase.
extension JSONValue {
    package var snakeCased: JSONValue { renamingKeys(Self.snakeCase) }
    package var camelCased: JSONValue { renamingKeys(Self.camelCase) }

    private func renamingKeys(_ rename: (String) -> String) -> JSONValue {
        switch self {
        case .object(let members):
            // Within a list, or where no section was expected, both spellings of a key may stand side by side: what is
            // read of them is refused later.
            .object(
                Dictionary(
                    members.sorted { $0.key < $1.key }.map { (rename($0), $1.renamingKeys(rename)) },
                    uniquingKeysWith: { first, _ in first }))
        case .array(let values): .array(values.map { $0.renamingKeys(rename) })
        default: self
        }
    }

    /// "batchSize" → "batch_size".
    package static func snakeCase(_ name: String) -> String {
        name.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
    }

    /// "batch_size" → "batchSize".
    package static func camelCase(_ name: String) -> String {
        let parts = name.split(separator: "_", omittingEmptySubsequences: false)
        return parts.dropFirst().reduce(String(parts.first ?? "")) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
    }

    /// From a typed value, keys in snake_case.
    package init(snakeCasing value: some Encodable) throws { self = try JSONValue(encoding: value).snakeCased }
}

import Foundation

/// A part of a run's configuration: every field has a default, and values are checked after reading.
public protocol ConfigurationSection: Codable, Sendable {
    init()
    func validate() throws
}

/// Reads typed configurations from YAML files and `key=value` overrides. Keys are snake_case; unknown ones are refused
/// with the nearest legal one named.
public enum ConfigurationReader {
    /// - Parameters:
    ///   - open: sections that another type reads ("method.settings").
    public static func read<T: ConfigurationSection>(
        _: T.Type, file: URL?, overrides: [String] = [], open: Set<String> = []
    ) throws -> T {
        var tree = try ConfigurationTree(encoding: T())
        if let file {
            let text: String
            do {
                text = try String(contentsOf: file, encoding: .utf8)
            } catch {
                throw ConfigurationError.unreadable(
                    source: file.path, reason: "cannot be read: \((error as NSError).localizedDescription)")
            }
            tree = try tree.merging(ConfigurationTree(yaml: text, source: file.path), source: file.path, open: open)
        }
        for override in overrides { tree = try apply(override, to: tree, open: open) }
        return try decode(T.self, from: tree, source: file?.path ?? "configuration")
    }

    /// A section of its own from a YAML-like tree given as JSON-compatible text.
    static func decode<T: ConfigurationSection>(_: T.Type, from tree: ConfigurationTree, source: String) throws -> T {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let value: T
        do {
            let data = try JSONSerialization.data(withJSONObject: tree.jsonObject, options: [.fragmentsAllowed])
            value = try decoder.decode(T.self, from: data)
        } catch let error as DecodingError {
            throw describe(error, source: source)
        }
        try value.validate()
        return value
    }

    /// The fully resolved configuration as YAML, to be stored with the run.
    public static func yaml(of value: some ConfigurationSection) throws -> String {
        try ConfigurationTree(encoding: value).yaml
    }

    private static func apply(_ override: String, to tree: ConfigurationTree, open: Set<String>) throws -> ConfigurationTree {
        let parts = override.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw ConfigurationError.unreadable(source: "--set \(override)", reason: "expected KEY=VALUE, as in training.steps=1000")
        }
        let source = "--set \(override)"
        var value = try ConfigurationTree(yaml: parts[1], source: source)
        if value == .section([:]) { value = .text("") }
        for key in parts[0].split(separator: ".").reversed() { value = .section([String(key): value]) }
        return try tree.merging(value, source: source, open: open)
    }

    private static func describe(_ error: DecodingError, source: String) -> ConfigurationError {
        let (context, expected): (DecodingError.Context, String) =
            switch error {
            case .typeMismatch(let type, let context): (context, "a value of type \(type)")
            case .valueNotFound(let type, let context): (context, "a value of type \(type)")
            case .keyNotFound(let key, let context): (context, "the key '\(key.stringValue)'")
            case .dataCorrupted(let context): (context, context.debugDescription)
            @unknown default: (DecodingError.Context(codingPath: [], debugDescription: ""), "another value")
            }
        let key = context.codingPath.map(\.stringValue).joined(separator: ".")
        return .invalid(source: source, key: key.isEmpty ? "the whole file" : key, got: "not usable", expected: expected)
    }
}

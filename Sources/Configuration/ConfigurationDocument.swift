import Files
import Foundation

/// A configuration file with its `key=value` overrides, read section by section. Keys are snake_case; unknown ones are
/// refused with the nearest legal one named.
public struct ConfigurationDocument {
    private let tree: JSONValue
    package let source: String

    /// The largest configuration read.
    package static let maximumBytes = 1 << 20
    package static let maximumDepth = 32

    /// - Parameters:
    ///   - file: YAML; nil for an empty document.
    ///   - overrides: "section.key=value", applied in order.
    ///   - sections: the legal top-level keys.
    public init(file: URL?, overrides: [String] = [], sections: [String]) throws {
        source = file?.path ?? "configuration"
        var tree = JSONValue.object([:])
        if let file {
            do {
                let text = try TextFile.read(file, limit: Self.maximumBytes)
                tree = try JSONValue(yaml: text, source: file.path)
            } catch let error as StorageError {
                throw ConfigurationError.unreadable(source: file.path, reason: error.reason)
            }
        }
        for override in overrides { tree = try tree.overlaid(with: Self.parse(override: override)) }
        guard case .object(let members) = tree else {
            throw ConfigurationError.invalid(
                source: source, key: "the whole file", got: tree.summary, expected: "sections of keys")
        }
        for key in members.keys.sorted() where !sections.contains(key) {
            throw ConfigurationError.unknownKey(
                source: source, key: key, nearest: Spelling.nearest(to: key, among: sections), legal: sections)
        }
        self.tree = tree
    }

    /// Section `name` laid over `defaults`.
    public func section<T: ConfigurationSection>(_ name: String, defaults: T = T()) throws -> T {
        let values = try merged(name, JSONValue(snakeCasing: defaults)).camelCased
        return try reading(name) {
            let section = try values.decoded(as: T.self)
            try section.validate()
            return section
        }
    }

    /// A section whose type spells its keys itself (a diffusers configuration).
    public func verbatimSection<T: Codable>(
        _ name: String, defaults: T, validate: (T) throws -> Void = { _ in }
    ) throws -> T {
        let values = try merged(name, JSONValue(encoding: defaults))
        return try reading(name) {
            let section = try values.decoded(as: T.self)
            try validate(section)
            return section
        }
    }

    /// Section `name` over `defaults`, both with camelCase keys: for types known only at run time.
    ///
    /// - Parameter ignoring: keys of the section that are someone else's to read.
    package func values(_ name: String, defaults: JSONValue, ignoring: [String]) throws -> JSONValue {
        guard case .object(var base) = defaults.snakeCased else { return defaults }
        for key in ignoring { base[key] = .null }
        guard case .object(var result) = try merged(name, .object(base)) else { return defaults }
        for key in ignoring { result[key] = nil }
        return JSONValue.object(result).camelCased
    }

    /// A text value, where it is there.
    package func text(_ section: String, _ key: String) throws -> String? {
        switch tree.value(at: [section, key]) {
        case nil, .null?: return nil
        case .string(let text)?: return text
        case let other?:
            throw ConfigurationError.invalid(
                source: source, key: "\(section).\(key)", got: other.summary, expected: "text")
        }
    }

    private func merged(_ name: String, _ base: JSONValue) throws -> JSONValue {
        guard let values = tree[name] else { return base }
        return try base.merging(values, source: source, path: name)
    }

    /// Runs `read`, whose settings are those of section `name` of this document; their keys may be in camelCase.
    package func reading<Result>(_ name: String, _ read: () throws -> Result) throws -> Result {
        do {
            return try read()
        } catch let error as SettingError {
            let setting = error.within(name)
            throw ConfigurationError.invalid(
                source: source, key: JSONValue.snakeCase(setting.key), got: setting.got, expected: setting.expected)
        }
    }

    private static func parse(override: String) throws -> JSONValue {
        let parts = override.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let source = "--set \(override.prefix(200))\(override.count > 200 ? "…" : "")"
        let keys = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !keys.contains(""), keys.count <= maximumDepth else {
            throw ConfigurationError.unreadable(
                source: source, reason: "expected KEY=VALUE, as in training.steps=1000")
        }
        var value = try JSONValue(yaml: parts[1], source: source)
        if value == [:] { value = "" }
        for key in keys.reversed() { value = [key: value] }
        return value
    }
}

import Files
import Foundation

/// A configuration file with its `key=value` overrides, read section by section. Keys are snake_case; unknown ones are
/// refused with the nearest legal one named.
public struct ConfigurationDocument {
    private var tree: JSONValue
    private let overrides: [ConfigurationOverride]
    package let source: String
    /// Every section's legal keys, with dots; to find in other sections what was set in the wrong one.
    private let known: [String]

    /// The largest configuration read.
    package static let maximumBytes = 1 << 20
    package static let maximumDepth = 32

    /// - Parameters:
    ///   - file: YAML; nil for an empty document.
    ///   - overrides: "section.key=value", applied in order.
    ///   - sections: the legal top-level keys.
    ///   - defaults: the sections' default values, as far as they are known, for errors to find keys in.
    public init(file: URL?, overrides: [String] = [], sections: [String], defaults: JSONValue = [:]) throws {
        var tree = JSONValue.object([:])
        if let file {
            do {
                let text = try TextFile.read(file, limit: Self.maximumBytes)
                tree = try JSONValue(yaml: text, source: file.path)
            } catch let error as StorageError {
                throw ConfigurationError.unreadable(source: file.path, reason: error.reason)
            }
        }
        try self.init(
            tree: tree, source: file?.path ?? "configuration", overrides: overrides, sections: sections,
            defaults: defaults)
    }

    /// The same of what was read already; `source` is what errors call it.
    package init(
        tree: JSONValue, source: String, overrides: [String] = [], sections: [String], defaults: JSONValue = [:]
    ) throws {
        self.source = source
        known = sections + defaults.dottedKeys
        self.overrides = try overrides.map(ConfigurationOverride.init)
        guard case .object(let members) = tree else {
            throw ConfigurationError.invalid(
                source: source, key: "the whole file", got: tree.summary, expected: "sections of keys")
        }
        self.tree = tree
        let places = members.keys.sorted().map { ([$0], source) } + self.overrides.map { ($0.keys, "--set") }
        for (keys, source) in places where !sections.contains(keys[0]) {
            throw unknown(keys, source: source, sections: sections)
        }
    }

    /// A mistyped section, or a key without its section.
    private func unknown(_ keys: [String], source: String, sections: [String]) -> ConfigurationError {
        let last = keys[keys.count - 1]
        if !known.contains(where: { $0.hasSuffix("." + last) }) || keys.count > 1,
            let section = Spelling.nearest(to: keys[0], among: sections)
        {
            return .unknownKey(source: source, key: keys[0], nearest: section, legal: sections)
        }
        return .unknownKey(
            source: source, key: keys.joined(separator: "."), nearest: Synonyms.nearest(to: last, among: known),
            legal: sections)
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
    ///
    /// - Parameters:
    ///   - name: the section's.
    ///   - defaults: what holds for keys that are not there.
    ///   - ignoring: keys that may stand there and say nothing.
    ///   - validate: refuses what the section says.
    public func verbatimSection<T: Codable>(
        _ name: String, defaults: T, ignoring: [String] = [], validate: (T) throws -> Void = { _ in }
    ) throws -> T {
        let values = try merged(name, JSONValue(encoding: defaults), ignoring: ignoring)
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
        try merged(name, defaults.snakeCased, ignoring: ignoring).camelCased
    }

    /// Section `name` as the file and the overrides have it, unchecked; nil where neither says anything.
    package func raw(_ name: String) throws -> JSONValue? { try set(name, over: [:]) }

    /// A text value, where it is there.
    package func text(_ section: String, _ key: String) throws -> String? {
        if let last = overrides.last(where: { $0.keys == [section, key] }) { return last.textValue }
        let whole = try overrides.last { $0.keys == [section] }?.value(over: nil)[key]
        switch whole ?? tree[section]?[key] {
        case nil, .null?: return nil
        case .string(let text)?: return text
        case let other?:
            throw ConfigurationError.invalid(
                source: source, key: "\(section).\(key)", got: other.summary, expected: "text")
        }
    }

    /// The keys of a section that the file or an override sets.
    package func keysSet(in section: String) throws -> Set<String> {
        let set = try overrides.filter { $0.keys[0] == section }.flatMap { override in
            override.keys.count > 1
                ? [override.keys[1]] : Array(try override.value(over: nil).objectValue?.keys ?? [:].keys)
        }
        return Set(set).union(tree[section]?.objectValue?.keys ?? [:].keys)
    }

    /// The same, but of section `name` only what overrides say: where the file's is of something else.
    package func overridesAlone(of name: String) -> ConfigurationDocument {
        var copy = self
        if case .object(var members) = tree {
            members[name] = nil
            copy.tree = .object(members)
        }
        return copy
    }

    // MARK: reading

    /// What the file and the overrides say of a section; nil where they say nothing.
    private func set(_ name: String, over base: JSONValue) throws -> JSONValue? {
        var values = tree[name]
        for override in overrides where override.keys[0] == name {
            let path = Array(override.keys.dropFirst())
            var value = try override.value(over: base.value(at: path))
            for key in path.reversed() { value = [key: value] }
            values = values?.overlaid(with: value) ?? value
        }
        return values
    }

    private func merged(_ name: String, _ base: JSONValue, ignoring: [String] = []) throws -> JSONValue {
        guard var values = try set(name, over: base) else { return base }
        if case .object(var members) = values {
            for key in ignoring { members[key] = nil }
            values = .object(members)
        }
        do {
            return try base.merging(values, source: source, path: name)
        } catch ConfigurationError.unknownKey(_, let key, let nearest, let legal) {
            let last = key.split(separator: ".").last.map(String.init) ?? key
            // A key of another section by its very name is meant rather than a similar one of this.
            let elsewhere = known.first { $0.hasSuffix("." + last) }
            throw ConfigurationError.unknownKey(
                source: source(of: key), key: key,
                nearest: elsewhere ?? nearest ?? Synonyms.nearest(to: last, among: known), legal: legal)
        } catch ConfigurationError.invalid(_, let key, let got, let expected) {
            throw ConfigurationError.invalid(source: source(of: key), key: key, got: got, expected: expected)
        }
    }

    /// Runs `read`, whose settings are those of section `name` of this document; their keys may be in camelCase.
    package func reading<Result>(_ name: String, _ read: () throws -> Result) throws -> Result {
        do {
            return try read()
        } catch let error as SettingError {
            let setting = error.within(name)
            let key = JSONValue.snakeCase(setting.key)
            throw ConfigurationError.invalid(
                source: source(of: key), key: key, got: setting.got, expected: setting.expected)
        }
    }

    /// Where a key has its value from: an override, or the file.
    private func source(of key: String) -> String {
        let isSet = overrides.contains {
            let path = $0.keys.joined(separator: ".")
            return key == path || key.hasPrefix(path + ".") || key.hasPrefix(path + "[")
        }
        return isSet ? "--set" : source
    }
}

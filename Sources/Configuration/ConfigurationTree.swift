import Files
import Foundation

/// What is wrong with a configuration file or a `--set`.
public enum ConfigurationError: Error, CustomStringConvertible {
    case unreadable(source: String, reason: String)
    case unknownKey(source: String, key: String, nearest: String?, legal: [String])
    case invalid(source: String, key: String, got: String, expected: String)

    public var description: String {
        switch self {
        case .unreadable(let source, let reason): "\(source): \(reason)"
        case .unknownKey(let source, let key, let nearest, let legal):
            "\(source): unknown key '\(Self.short(key))'"
                + (nearest.map { ", did you mean '\($0)'?" } ?? ", expected one of \(legal.joined(separator: ", "))")
        case .invalid(let source, let key, let got, let expected):
            "\(source): '\(Self.short(key))' is \(got), expected \(expected)"
        }
    }

    /// A hostile key may be as long as its file.
    private static func short(_ key: String) -> String { key.count > 200 ? "\(key.prefix(200))…" : key }
}

/// Configuration values as a tree, between YAML and typed structs.
package indirect enum ConfigurationTree: Equatable {
    case null
    case flag(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case list([ConfigurationTree])
    case section([String: ConfigurationTree])

    /// What a reader sees in an error.
    package var summary: String {
        switch self {
        case .null: "null"
        case .flag(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .text(let value): "'\(value.prefix(200))\(value.count > 200 ? "…" : "")'"
        case .list(let values):
            "[" + values.prefix(8).map(\.summary).joined(separator: ", ")
                + (values.count > 8 ? ", … \(values.count) values" : "") + "]"
        case .section: "a section"
        }
    }

    private var kind: String {
        switch self {
        case .null: "null"
        case .flag: "true or false"
        case .integer: "a whole number"
        case .number: "a number"
        case .text: "text"
        case .list: "a list"
        case .section: "a section of keys"
        }
    }

    // MARK: JSON

    /// From a typed value, through its JSON, keys in snake_case.
    package init(encoding value: some Encodable) throws { self = try ConfigurationTree(verbatim: value).snakeCased }

    /// From a typed value, through its JSON, keys as the type spells them.
    package init(verbatim value: some Encodable) throws { try self.init(json: JSONEncoder().encode(value)) }

    package init(json: Data) throws { self = try JSONDecoder().decode(DecodedTree.self, from: json).tree }

    package var json: Data {
        get throws {
            try JSONSerialization.data(withJSONObject: jsonObject, options: [.fragmentsAllowed, .sortedKeys])
        }
    }

    package var snakeCased: ConfigurationTree { renamingKeys(Self.snakeCase) }
    package var camelCased: ConfigurationTree { renamingKeys(Self.camelCase) }

    private func renamingKeys(_ rename: (String) -> String) -> ConfigurationTree {
        switch self {
        case .section(let members):
            // Within a list, or where no section was expected, both spellings of a key may stand side by side: what is read
            // of them is refused later.
            .section(
                Dictionary(
                    members.sorted { $0.key < $1.key }.map { (rename($0), $1.renamingKeys(rename)) },
                    uniquingKeysWith: { first, _ in first }))
        case .list(let values): .list(values.map { $0.renamingKeys(rename) })
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

    package func value(at path: [String]) -> ConfigurationTree? {
        path.reduce(Optional(self)) { tree, key in
            if case .section(let members)? = tree { return members[key] }
            return nil
        }
    }

    /// `self` with the values of `other` in their place, whatever the keys.
    package func overlaid(with other: ConfigurationTree) -> ConfigurationTree {
        guard case .section(var members) = self, case .section(let values) = other else { return other }
        for (key, value) in values { members[key] = members[key]?.overlaid(with: value) ?? value }
        return .section(members)
    }

    package var jsonObject: Any {
        switch self {
        case .null: NSNull()
        case .flag(let value): value
        case .integer(let value): value
        case .number(let value): value
        case .text(let value): value
        case .list(let values): values.map(\.jsonObject)
        case .section(let section): section.mapValues(\.jsonObject)
        }
    }

    // MARK: merging

    /// `self` (defaults) with the values of `other` in their place; keys that the defaults lack are refused.
    package func merging(_ other: ConfigurationTree, source: String, path: String = "") throws -> ConfigurationTree {
        guard case .section(var result) = self else { return other }
        guard case .section(let values) = other else {
            if other == .null { return self }
            throw ConfigurationError.invalid(
                source: source, key: path.isEmpty ? "the whole file" : path, got: other.summary,
                expected: "a section of keys")
        }
        for key in values.keys.sorted() {
            guard let value = values[key] else { continue }
            let place = path.isEmpty ? key : "\(path).\(key)"
            guard let old = result[key] else {
                throw ConfigurationError.unknownKey(
                    source: source, key: place, nearest: Spelling.nearest(to: key, among: result.keys.sorted()),
                    legal: result.keys.sorted())
            }
            let merged = try old.merging(value, source: source, path: place)
            guard merged.fits(old) else {
                throw ConfigurationError.invalid(source: source, key: place, got: merged.summary, expected: old.kind)
            }
            result[key] = merged
        }
        return .section(result)
    }

    /// Whether a value may stand where `old`, a default, stood.
    private func fits(_ old: ConfigurationTree) -> Bool {
        switch (old, self) {
        case (.null, _), (_, .null): true
        case (.flag, .flag), (.integer, .integer), (.text, .text), (.list, .list), (.section, .section): true
        case (.number, .number), (.number, .integer), (.integer, .number): true
        default: false
        }
    }
}

/// Reads any JSON into a tree.
private struct DecodedTree: Decodable {
    let tree: ConfigurationTree

    init(from decoder: any Decoder) throws {
        if let keyed = try? decoder.container(keyedBy: AnyKey.self) {
            var section: [String: ConfigurationTree] = [:]
            for key in keyed.allKeys { section[key.stringValue] = try keyed.decode(DecodedTree.self, forKey: key).tree }
            tree = .section(section)
            return
        }
        if var list = try? decoder.unkeyedContainer() {
            var values: [ConfigurationTree] = []
            while !list.isAtEnd { values.append(try list.decode(DecodedTree.self).tree) }
            tree = .list(values)
            return
        }
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            tree = .null
        } else if let flag = try? value.decode(Bool.self) {
            tree = .flag(flag)
        } else if let integer = try? value.decode(Int.self) {
            tree = .integer(integer)
        } else if let number = try? value.decode(Double.self) {
            tree = .number(number)
        } else {
            tree = .text(try value.decode(String.self))
        }
    }
}

private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

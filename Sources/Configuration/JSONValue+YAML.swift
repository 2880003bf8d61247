import Files
import Foundation
import Yams

extension JSONValue {
    /// Reads a configuration; an empty text is an object without keys.
    /// - Throws: `ConfigurationError` for what is not YAML, repeats a key, is nested deeply,
    ///   or uses anchors and aliases.
    package init(yaml text: String, source: String) throws {
        guard text.utf8.count <= ConfigurationDocument.maximumBytes else {
            throw ConfigurationError.unreadable(source: source, reason: "larger than 1 MiB, which no configuration is")
        }
        // Before they are followed: a few lines of aliases to aliases stand for more values than memory can hold.
        if let line = Self.lineOfAlias(in: text) {
            throw ConfigurationError.unreadable(source: source, reason: "YAML aliases are not read (line \(line))")
        }
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            let reason = "\(error)".split(separator: "\n").first.map(String.init) ?? "not YAML"
            throw ConfigurationError.unreadable(source: source, reason: "not valid YAML: \(reason)")
        }
        self = try node.map { try Self.value(of: $0, source: source, path: "", depth: 0) } ?? .object([:])
    }

    /// Where the first alias stands that leads to something; nil where there is none.
    ///
    /// Found by the parser, in a text whose every '*' leads to a name that nothing has: what is no alias, as in a
    /// quoted text or a comment, stays what it is, and the first that is one ends the parsing.
    private static func lineOfAlias(in text: String) -> Int? {
        guard text.utf8.contains(UInt8(ascii: "*")), text.utf8.contains(UInt8(ascii: "&")) else { return nil }
        var nothing = "nothing"
        while text.contains("&" + nothing) { nothing += "-" }
        do {
            _ = try Yams.compose(
                yaml: text.split(separator: "*", omittingEmptySubsequences: false)
                    .joined(separator: "*" + nothing))
            return nil
        } catch YamlError.composer(_, "found undefined alias", let mark, _) {
            return mark.line
        } catch {
            return nil
        }
    }

    private static func value(of node: Node, source: String, path: String, depth: Int) throws -> JSONValue {
        guard depth < ConfigurationDocument.maximumDepth else {
            throw ConfigurationError.unreadable(source: source, reason: "nested too deeply at '\(path)'")
        }
        switch node {
        case .scalar:
            return try scalar(node, source: source, path: path)
        case .sequence(let sequence):
            return .array(
                try sequence.enumerated().map {
                    try value(of: $1, source: source, path: "\(path)[\($0)]", depth: depth + 1)
                })
        case .mapping(let mapping):
            var section: [String: JSONValue] = [:]
            for (key, element) in mapping {
                let name = key.string ?? ""
                let place = path.isEmpty ? name : "\(path).\(name)"
                guard section[name] == nil else {
                    throw ConfigurationError.unreadable(source: source, reason: "key '\(place)' is there twice")
                }
                section[name] = try value(of: element, source: source, path: place, depth: depth + 1)
            }
            return .object(section)
        case .alias:
            throw ConfigurationError.unreadable(source: source, reason: "YAML aliases are not read")
        }
    }

    private static func scalar(_ node: Node, source: String, path: String) throws -> JSONValue {
        let text = node.string ?? ""
        if node.null != nil { return .null }
        if let value = node.bool { return .bool(value) }
        // YAML 1.1 takes 1:30 for a number in base 60, and the parser traps where one is too large.
        if text.contains(":") { return .string(text) }
        if let value = node.int { return .int(value) }
        if let value = node.float {
            guard value.isFinite else {
                throw ConfigurationError.invalid(
                    source: source, key: path, got: "\(value)", expected: "a finite number")
            }
            return .double(value)
        }
        return .string(text)
    }

    /// Double quotes with JSON's escapes, all of which YAML has.
    private static func quoted(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar -> String in
            switch scalar {
            case "\\": return "\\\\"
            case "\"": return "\\\""
            case _ where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value):
                return "\\u" + scalar.value.padded(to: 4, radix: 16)
            default: return String(scalar)
            }
        }
        return "\"" + escaped.joined() + "\""
    }

    /// The value as YAML, keys sorted; doubles as Swift prints them.
    package var yaml: String { Self.lines(of: self, indent: 0).joined(separator: "\n") + "\n" }

    private static func lines(of value: JSONValue, indent: Int) -> [String] {
        guard let members = value.sortedMembers else { return [scalar(value)] }
        let pad = String(repeating: "  ", count: indent)
        return members.flatMap { key, value -> [String] in
            guard case .object(let inner) = value else { return ["\(pad)\(key): \(scalar(value))"] }
            return inner.isEmpty ? ["\(pad)\(key): {}"] : ["\(pad)\(key):"] + lines(of: value, indent: indent + 1)
        }
    }

    private static func scalar(_ value: JSONValue) -> String {
        switch value {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .int(let value): return "\(value)"
        case .double(let value): return "\(value)"
        case .string(let value): return quoted(value)
        case .array(let values): return "[" + values.map(scalar).joined(separator: ", ") + "]"
        case .object:
            let members = value.sortedMembers ?? []
            return "{" + members.map { "\($0.key): \(scalar($0.value))" }.joined(separator: ", ") + "}"
        }
    }
}

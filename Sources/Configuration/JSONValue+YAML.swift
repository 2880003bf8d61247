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
        // Before the parser sees them: a few lines of aliases to aliases stand for more values than memory can hold.
        if let name = Self.alias(in: text) {
            throw ConfigurationError.unreadable(
                source: source, reason: "YAML aliases are not read: '*\(name)' refers to '&\(name)'")
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

    /// A name that stands behind '&' as well as behind '*', which every alias that means something does.
    private static func alias(in text: String) -> String? {
        func names(behind mark: UInt8) -> Set<String> {
            let parts = text.utf8.split(separator: mark, omittingEmptySubsequences: false).dropFirst()
            return Set(
                parts.map { String(decoding: $0.prefix(while: isNameByte), as: UTF8.self) }.filter { !$0.isEmpty })
        }
        return names(behind: UInt8(ascii: "*")).intersection(names(behind: UInt8(ascii: "&"))).min()
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
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

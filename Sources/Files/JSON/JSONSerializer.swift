/// How JSON text is laid out.
public struct JSONStyle: Sendable {
    /// Spaces a level, one element a line; nil puts everything on one line.
    public var indent: Int?
    /// Puts a space after ':' and, on one line, after ','.
    public var spaced: Bool
    /// Writes every character beyond ASCII as \uXXXX.
    public var escapesNonASCII: Bool
    public var nonFinite: NonFinite

    /// What becomes of numbers that are not finite, which JSON has none of.
    public enum NonFinite: Sendable {
        /// They are an error.
        case refused
        case null
        /// `NaN`, `Infinity`, `-Infinity`.
        case asPython
    }

    /// As Python's `json.dumps(value, indent=2, sort_keys=True)`, which is how diffusers writes configurations.
    public static let python = JSONStyle(indent: 2, spaced: true, escapesNonASCII: true, nonFinite: .refused)
    /// The same of what another program wrote and may have written so: numbers that are not finite stay what they are.
    public static let foreign = JSONStyle(indent: 2, spaced: true, escapesNonASCII: true, nonFinite: .asPython)
    /// One line, no blanks, UTF-8.
    public static let compact = JSONStyle(indent: nil, spaced: false, escapesNonASCII: false, nonFinite: .refused)
    /// One line of a log: as Python's `json.dumps(value, sort_keys=True)`, numbers that are not finite as null.
    public static let logLine = JSONStyle(indent: nil, spaced: true, escapesNonASCII: true, nonFinite: .null)
}

extension JSONValue {
    /// The value as JSON text, keys in code-point order, without a final newline.
    /// - Throws: `JSONError.notFinite` for a NaN or an infinity the style does not allow.
    public func text(_ style: JSONStyle = .python) throws -> String {
        var serializer = JSONSerializer(style: style)
        try serializer.append(self, level: 0)
        return serializer.text
    }
}

package struct JSONSerializer {
    package let style: JSONStyle
    package var text = ""

    package init(style: JSONStyle) {
        self.style = style
    }

    package mutating func append(_ value: JSONValue, level: Int) throws {
        switch value {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .int(let value): text += String(value)
        case .double(let value):
            switch value.isFinite ? .asPython : style.nonFinite {
            case .asPython: text += PythonFloat.text(value)
            case .null: text += "null"
            case .refused: throw JSONError.notFinite(value)
            }
        case .string(let value): append(quoting: value)
        case .array(let elements):
            try append(elements, between: "[", and: "]", level: level) { serializer, element in
                try serializer.append(element, level: level + 1)
            }
        case .object:
            try append(value.sortedMembers ?? [], between: "{", and: "}", level: level) { serializer, member in
                serializer.append(quoting: member.key)
                serializer.text += serializer.style.spaced ? ": " : ":"
                try serializer.append(member.value, level: level + 1)
            }
        }
    }

    private mutating func append<Element>(
        _ elements: [Element], between open: String, and close: String, level: Int,
        _ appendElement: (inout JSONSerializer, Element) throws -> Void
    ) throws {
        text += open
        for (index, element) in elements.enumerated() {
            if index > 0 { text += style.spaced && style.indent == nil ? ", " : "," }
            breakLine(level: level + 1)
            try appendElement(&self, element)
        }
        if !elements.isEmpty { breakLine(level: level) }
        text += close
    }

    private mutating func breakLine(level: Int) {
        guard let indent = style.indent else { return }
        text += "\n" + String(repeating: " ", count: indent * level)
    }

    package mutating func append(quoting string: String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\u{08}": text += "\\b"
            case "\u{0C}": text += "\\f"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _ where scalar.value < 0x20 || (style.escapesNonASCII && scalar.value >= 0x7F):
                for unit in String(scalar).utf16 {
                    text += "\\u" + unit.padded(to: 4, radix: 16)
                }
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}

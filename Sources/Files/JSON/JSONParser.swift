/// Bounds on what a JSON text may cost before it is refused.
public struct JSONLimits: Sendable {
    /// Bytes of text.
    public var bytes: Int
    /// Levels of arrays and objects inside one another.
    public var depth: Int
    /// Values of any kind, containers included.
    public var values: Int

    public init(bytes: Int = 100_000_000, depth: Int = 64, values: Int = 4_000_000) {
        self.bytes = bytes
        self.depth = depth
        self.values = values
    }
}

extension JSONValue {
    /// Reads one JSON document (RFC 8259, UTF-8), with a byte-order mark or without, and `NaN`, `Infinity` and
    /// `-Infinity` as Python writes them.
    ///
    /// Stricter than most readers: a key given twice, a lone surrogate, a number that does not fit 64 bits and anything
    /// beyond `limits` are errors.
    /// - Throws: `JSONError`, with the place.
    public init(parsing text: [UInt8], limits: JSONLimits = JSONLimits()) throws {
        guard text.count <= limits.bytes else { throw JSONError.tooLarge(bytes: text.count, limit: limits.bytes) }
        var parser = JSONParser(text: text, limits: limits)
        self = try parser.document()
    }

    /// Reads one JSON document from a string.
    /// - Throws: `JSONError`, with the place.
    public init(parsing text: String, limits: JSONLimits = JSONLimits()) throws {
        try self.init(parsing: Array(text.utf8), limits: limits)
    }
}

/// A recursive-descent reader over bytes. Recursion is bounded by `limits.depth`.
private struct JSONParser {
    let text: [UInt8]
    let limits: JSONLimits
    var index = 0
    var depth = 0
    var values = 0

    init(text: [UInt8], limits: JSONLimits) {
        self.text = text
        self.limits = limits
    }

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    mutating func document() throws -> JSONValue {
        if text.starts(with: Self.byteOrderMark) { index = Self.byteOrderMark.count }
        if text.starts(with: [0xFF, 0xFE]) || text.starts(with: [0xFE, 0xFF]) {
            throw JSONError.syntax("the text is in UTF-16, expected UTF-8", at: position(0))
        }
        skipWhitespace()
        let value = try value()
        skipWhitespace()
        guard index == text.count else { throw unexpected("the end of the text") }
        return value
    }

    private mutating func value() throws -> JSONValue {
        values += 1
        guard values <= limits.values else { throw JSONError.tooManyValues(limit: limits.values) }
        switch peek {
        case UInt8(ascii: "{"): return try nested { try $0.object() }
        case UInt8(ascii: "["): return try nested { try $0.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"): return try number()
        case let byte? where 0x30...0x39 ~= byte: return try number()
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "N"): return try literal("NaN", .double(.nan))
        case UInt8(ascii: "I"): return try literal("Infinity", .double(.infinity))
        default: throw unexpected("a value")
        }
    }

    private mutating func nested(_ body: (inout JSONParser) throws -> JSONValue) throws -> JSONValue {
        depth += 1
        defer { depth -= 1 }
        guard depth <= limits.depth else { throw JSONError.tooDeep(limit: limits.depth, at: position(index)) }
        return try body(&self)
    }

    private mutating func object() throws -> JSONValue {
        index += 1
        var members: [String: JSONValue] = [:]
        skipWhitespace()
        if take("}") { return .object(members) }
        while true {
            skipWhitespace()
            let start = index
            guard peek == UInt8(ascii: "\"") else { throw unexpected("a key in quotes") }
            let key = try string()
            guard members[key] == nil else { throw JSONError.duplicateKey(key, at: position(start)) }
            skipWhitespace()
            guard take(":") else { throw unexpected("':'") }
            skipWhitespace()
            members[key] = try value()
            skipWhitespace()
            if take(",") { continue }
            if take("}") { return .object(members) }
            throw unexpected("',' or '}'")
        }
    }

    private mutating func array() throws -> JSONValue {
        index += 1
        var elements: [JSONValue] = []
        skipWhitespace()
        if take("]") { return .array(elements) }
        while true {
            skipWhitespace()
            elements.append(try value())
            skipWhitespace()
            if take(",") { continue }
            if take("]") { return .array(elements) }
            throw unexpected("',' or ']'")
        }
    }

    private mutating func literal(_ word: StaticString, _ value: JSONValue) throws -> JSONValue {
        let matches = word.withUTF8Buffer { text[index...].starts(with: $0) }
        guard matches else { throw unexpected("'\(word)'") }
        index += word.utf8CodeUnitCount
        return value
    }

    private mutating func number() throws -> JSONValue {
        let start = index
        var isInteger = true
        if take("-"), peek == UInt8(ascii: "I") { return try literal("Infinity", .double(-.infinity)) }
        if !take("0") {
            guard skipDigits() else { throw unexpected("a digit") }
        }
        if take(".") {
            isInteger = false
            guard skipDigits() else { throw unexpected("a digit after '.'") }
        }
        if take("e") || take("E") {
            isInteger = false
            if !take("+") { _ = take("-") }
            guard skipDigits() else { throw unexpected("a digit in the exponent") }
        }
        let digits = String(decoding: text[start..<index], as: UTF8.self)
        if isInteger, let value = Int(digits) { return .int(value) }
        if !isInteger, let value = Double(digits), value.isFinite { return .double(value) }
        throw JSONError.numberOutOfRange(digits, at: position(start))
    }

    private mutating func string() throws -> String {
        let start = index
        index += 1
        var bytes: [UInt8] = []
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                // Decoding repairs bad UTF-8 by substitution, so bad text is text that does not come back the same.
                let decoded = String(decoding: bytes, as: UTF8.self)
                guard decoded.utf8.elementsEqual(bytes) else {
                    throw JSONError.syntax("a string is not valid UTF-8", at: position(start))
                }
                return decoded
            case UInt8(ascii: "\\"):
                bytes.append(contentsOf: try escape())
            case 0..<0x20:
                throw JSONError.syntax("a string holds an unescaped control character", at: position(index))
            default:
                bytes.append(byte)
                index += 1
            }
        }
        throw JSONError.syntax("a string is not closed", at: position(start))
    }

    /// The UTF-8 bytes an escape sequence stands for.
    private mutating func escape() throws -> [UInt8] {
        let start = index
        index += 1
        defer { index += 1 }
        switch peek {
        case UInt8(ascii: "\""): return [UInt8(ascii: "\"")]
        case UInt8(ascii: "\\"): return [UInt8(ascii: "\\")]
        case UInt8(ascii: "/"): return [UInt8(ascii: "/")]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if 0xD800..<0xDC00 ~= code, index + 2 < text.count, text[index + 1] == UInt8(ascii: "\\"),
                text[index + 2] == UInt8(ascii: "u")
            {
                index += 2
                let low = try hexadecimal()
                if 0xDC00..<0xE000 ~= low { code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00) }
            }
            guard let scalar = Unicode.Scalar(code) else {
                throw JSONError.syntax("a string holds half a surrogate pair", at: position(start))
            }
            return Array(String(Character(scalar)).utf8)
        default:
            throw JSONError.syntax("a string holds an unknown escape sequence", at: position(start))
        }
    }

    /// Reads the four digits after the 'u' at `index`; leaves `index` on the last of them.
    private mutating func hexadecimal() throws -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            index += 1
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw unexpected("a hexadecimal digit")
            }
            code = code << 4 + UInt32(digit)
        }
        return code
    }

    private var peek: UInt8? { index < text.count ? text[index] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func skipDigits() -> Bool {
        let start = index
        while let byte = peek, 0x30...0x39 ~= byte { index += 1 }
        return index > start
    }

    private mutating func skipWhitespace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    private func unexpected(_ expected: String) -> JSONError {
        let got =
            switch peek {
            case nil: "the end of the text"
            case let byte? where 0x21...0x7E ~= byte: "'\(Character(Unicode.Scalar(byte)))'"
            case let byte?: "the byte 0x\(String(byte, radix: 16))"
            }
        return .syntax("expected \(expected), got \(got)", at: position(index))
    }

    private func position(_ offset: Int) -> JSONPosition {
        let before = text[..<min(offset, text.count)]
        let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return JSONPosition(
            line: 1 + before.reduce(into: 0) { if $1 == 0x0A { $0 += 1 } }, column: before.count - lineStart + 1)
    }
}

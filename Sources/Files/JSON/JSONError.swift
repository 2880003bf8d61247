/// A place in a JSON text: 1-based line, 1-based column counted in bytes.
public struct JSONPosition: Equatable, Sendable, CustomStringConvertible {
    public let line: Int
    public let column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    public var description: String { "line \(line), column \(column)" }
}

/// What is wrong with a JSON text, or with a value that JSON cannot hold.
public enum JSONError: Error, Equatable, CustomStringConvertible {
    case syntax(String, at: JSONPosition)
    case duplicateKey(String, at: JSONPosition)
    case tooDeep(limit: Int, at: JSONPosition)
    case tooManyValues(limit: Int)
    case tooLarge(bytes: Int, limit: Int)
    case numberOutOfRange(String, at: JSONPosition)
    case notFinite(Double)

    public var description: String {
        switch self {
        case .syntax(let reason, let position):
            "\(reason) (\(position))"
        case .duplicateKey(let key, let position):
            "the key \(Quoted(key)) appears twice in one object (\(position))"
        case .tooDeep(let limit, let position):
            "values are nested deeper than \(limit) levels (\(position))"
        case .tooManyValues(let limit):
            "the text holds more than \(limit) values"
        case .tooLarge(let bytes, let limit):
            "the text has \(bytes) bytes; at most \(limit) are read"
        case .numberOutOfRange(let text, let position):
            "the number \(Quoted(text)) does not fit a 64-bit number (\(position))"
        case .notFinite(let value):
            "JSON cannot hold the number \(value)"
        }
    }
}

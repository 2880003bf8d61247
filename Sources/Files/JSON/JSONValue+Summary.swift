extension JSONValue {
    /// The value in a few words, for an error that says what was got.
    package var summary: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .int(let value): "\(value)"
        case .double(let value): value.isFinite ? value.plain : PythonFloat.text(value)
        case .string(let value): "'\(value.prefix(200))\(value.count > 200 ? "…" : "")'"
        case .array(let values):
            "[" + values.prefix(8).map(\.summary).joined(separator: ", ")
                + (values.count > 8 ? ", … \(values.count) values" : "") + "]"
        case .object: "an object"
        }
    }
}

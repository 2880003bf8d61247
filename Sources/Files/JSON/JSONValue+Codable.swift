import Foundation

extension JSONValue {
    /// The value that `value` encodes itself as. A whole floating-point number (4.0) becomes an integer, which decodes
    /// as either; unsigned integers of 2⁶³ and more are refused, so keep such counters as strings.
    /// - Throws: `EncodingError` for what JSON cannot hold (NaN, infinities), `JSONError.numberOutOfRange`.
    public init(encoding value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try self.init(parsing: [UInt8](try encoder.encode(value)))
    }

    /// Decodes a value of type `type`.
    /// - Throws: `DecodingError` naming the key that does not fit.
    public func decoded<Value: Decodable>(as type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: Data(try text(.compact).utf8))
    }
}

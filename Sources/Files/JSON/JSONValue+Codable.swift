extension JSONValue {
    /// The value that `value` encodes itself as, every number exactly.
    ///
    /// A whole floating-point number of at most 2⁵³ becomes an integer, which decodes as either: JSON has one kind of
    /// number, and both are then written alike (4.0 as 4). Negative zero stays a floating-point number.
    /// - Throws: `EncodingError` for what a JSON document cannot hold: numbers that are not finite, and unsigned integers
    ///   of 2⁶³ and more (keep such counters as strings).
    public init(encoding value: some Encodable) throws {
        let encoder = JSONValueEncoder(codingPath: [])
        try encoder.encode(value)
        self = encoder.value
    }

    /// Decodes a value of type `type`, every number exactly, or rounded to nearest where a floating-point one is wanted.
    /// - Throws: `DecodingError` naming the key that does not fit.
    public func decoded<Value: Decodable>(as type: Value.Type) throws -> Value {
        try JSONValueDecoder(value: self, codingPath: []).decode(type)
    }
}

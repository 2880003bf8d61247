extension JSONValue {
    /// The value that `value` encodes itself as, every number exactly.
    ///
    /// A whole floating-point number of at most 2⁵³ becomes an integer, which decodes as either: JSON has one kind of
    /// number, and both are then written alike (4.0 as 4). Negative zero stays a floating-point number.
    /// - Throws: `EncodingError` for what a JSON document cannot hold: numbers that are not finite, and unsigned
    ///   integers of 2⁶³ and more (keep such counters as strings).
    public init(encoding value: some Encodable) throws {
        let encoder = JSONValueEncoder(codingPath: [])
        try encoder.encode(value)
        self = encoder.value
    }

    /// Decodes a value of type `type`, every number exactly,
    /// or rounded to nearest where a floating-point one is wanted.
    /// - Throws: `SettingError` for the key that does not fit; what a type throws of its own accord.
    public func decoded<Value: Decodable>(as type: Value.Type) throws -> Value {
        do {
            return try JSONValueDecoder(value: self, codingPath: []).decode(type)
        } catch let error as DecodingError {
            throw error.setting
        }
    }
}

extension DecodingError {
    /// What a type's own reading refused, in words.
    fileprivate var setting: SettingError {
        let (context, key): (Context, (any CodingKey)?) =
            switch self {
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                (context, nil)
            case .keyNotFound(let key, let context): (context, key)
            @unknown default: (Context(codingPath: [], debugDescription: "\(self)"), nil)
            }
        return SettingError(
            key: JSONValueDecoder.key(context.codingPath + (key.map { [$0] } ?? [])), got: "not usable",
            expected: "another value (\(context.debugDescription))")
    }
}

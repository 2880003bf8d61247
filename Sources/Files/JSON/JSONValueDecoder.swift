/// Reads typed values out of a `JSONValue`.
struct JSONValueDecoder: Decoder {
    let value: JSONValue
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy _: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let members) = value else { throw mismatch([String: Any].self) }
        return KeyedDecodingContainer(KeyedContainer(members: members, codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = value else { throw mismatch([Any].self) }
        return UnkeyedContainer(elements: elements, codingPath: codingPath)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { SingleValueContainer(decoder: self) }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if let scalar = try scalar(type) as? Value { return scalar }
        return try Value(from: self)
    }

    /// A number, a truth value or text; `Unread`, which is no `Decodable`, where `type` reads itself.
    private func scalar<Value>(_ type: Value.Type) throws -> Any {
        switch type {
        case is Bool.Type: try unwrapped(value.boolValue, type)
        case is String.Type: try unwrapped(value.stringValue, type)
        case is Double.Type: try unwrapped(value.doubleValue, type)
        case is Float.Type: try float(type)
        case let type as any FixedWidthInteger.Type: try integer(type)
        default: Unread()
        }
    }

    private struct Unread {}

    private func float<Value>(_ type: Value.Type) throws -> Float {
        let number = try unwrapped(value.doubleValue, type)
        let float = Float(number)
        guard float.isFinite else { throw corrupted("\(number) does not fit 32 bits") }
        return float
    }

    private func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
        let exact: Value?
        switch value {
        case .int(let number): exact = Value(exactly: number)
        case .double(let number): exact = Value(exactly: number)
        default: throw mismatch(type)
        }
        guard let exact else { throw corrupted("it does not fit \(type)") }
        return exact
    }

    private func unwrapped<Result, Value>(_ result: Result?, _ type: Value.Type) throws -> Result {
        guard let result else { throw mismatch(type) }
        return result
    }

    private func corrupted(_ reason: String) -> DecodingError {
        .dataCorrupted(.init(codingPath: codingPath, debugDescription: reason))
    }

    private func mismatch<Value>(_ type: Value.Type) -> DecodingError {
        let context = DecodingError.Context(
            codingPath: codingPath, debugDescription: "expected a value of type \(type), got \(value.kind)")
        return value.isNull ? .valueNotFound(type, context) : .typeMismatch(type, context)
    }
}

private struct KeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let members: [String: JSONValue]
    let codingPath: [any CodingKey]

    var allKeys: [Key] { members.keys.sorted().compactMap { Key(stringValue: $0) } }
    func contains(_ key: Key) -> Bool { members[key.stringValue] != nil }
    func decodeNil(forKey key: Key) throws -> Bool { try member(key).value.isNull }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try member(key).decode(type) }
    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try member(key).container(keyedBy: type)
    }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try member(key).unkeyedContainer()
    }
    func superDecoder() throws -> any Decoder { try member(JSONKey.super) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try member(key) }

    private func member(_ key: any CodingKey) throws -> JSONValueDecoder {
        guard let value = members[key.stringValue] else {
            throw DecodingError.keyNotFound(
                key, .init(codingPath: codingPath, debugDescription: "the key '\(key.stringValue)' is missing"))
        }
        return JSONValueDecoder(value: value, codingPath: codingPath + [key])
    }
}

private struct UnkeyedContainer: UnkeyedDecodingContainer {
    let elements: [JSONValue]
    let codingPath: [any CodingKey]
    var currentIndex = 0

    init(elements: [JSONValue], codingPath: [any CodingKey]) {
        self.elements = elements
        self.codingPath = codingPath
    }

    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex == elements.count }

    mutating func decodeNil() throws -> Bool {
        guard try next(Any.self).value.isNull else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try taking(type) { try $0.decode(type) }
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try taking([String: Any].self) { try $0.container(keyedBy: type) }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try taking([Any].self) { try $0.unkeyedContainer() }
    }

    mutating func superDecoder() throws -> any Decoder { try taking(Any.self) { $0 } }

    /// What `read` makes of the next element, which is passed only where that succeeds.
    private mutating func taking<Value, Result>(
        _ type: Value.Type, _ read: (JSONValueDecoder) throws -> Result
    ) throws -> Result {
        let result = try read(next(type))
        currentIndex += 1
        return result
    }

    private func next<Value>(_ type: Value.Type) throws -> JSONValueDecoder {
        let path = codingPath + [JSONKey(currentIndex)]
        guard currentIndex < elements.count else {
            throw DecodingError.valueNotFound(
                type, .init(codingPath: path, debugDescription: "there are only \(elements.count) elements"))
        }
        return JSONValueDecoder(value: elements[currentIndex], codingPath: path)
    }
}

private struct SingleValueContainer: SingleValueDecodingContainer {
    let decoder: JSONValueDecoder
    var codingPath: [any CodingKey] { decoder.codingPath }

    func decodeNil() -> Bool { decoder.value.isNull }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try decoder.decode(type) }
}

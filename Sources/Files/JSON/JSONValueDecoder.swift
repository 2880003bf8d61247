/// Reads typed values out of a `JSONValue`.
struct JSONValueDecoder: Decoder {
    let value: JSONValue
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy _: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let members) = value else { throw unexpected("an object") }
        return KeyedDecodingContainer(KeyedContainer(members: members, codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = value else { throw unexpected("a list") }
        return UnkeyedContainer(elements: elements, codingPath: codingPath)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { SingleValueContainer(decoder: self) }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if let scalar = try scalar(type) as? Value { return scalar }
        do {
            return try Value(from: self)
        } catch DecodingError.dataCorrupted(let context) where context.codingPath.count == codingPath.count {
            // A choice that is none of its cases.
            guard let names = Self.names(of: type) else { throw DecodingError.dataCorrupted(context) }
            throw unexpected(Spelling.choice(of: names, got: value.stringValue))
        }
    }

    /// A number, a truth value or text; `Unread`, which is no `Decodable`, where `type` reads itself.
    private func scalar<Value>(_ type: Value.Type) throws -> Any {
        switch type {
        case is Bool.Type: try unwrapped(value.boolValue, "true or false")
        case is String.Type: try unwrapped(value.stringValue, "text")
        case is Double.Type: try double()
        case is Float.Type: try float()
        case let type as any FixedWidthInteger.Type: try integer(type)
        default: Unread()
        }
    }

    private struct Unread {}

    private func double() throws -> Double {
        let number = try unwrapped(value.doubleValue, "a number")
        return try unwrapped(number.isFinite ? number : nil, "a finite number")
    }

    private func float() throws -> Float {
        try unwrapped(value.doubleValue.map { Float($0) }.flatMap { $0.isFinite ? $0 : nil }, "a number of 32 bits")
    }

    private func integer<Value: FixedWidthInteger>(_: Value.Type) throws -> Value {
        let exact: Value? =
            switch value {
            case .int(let number): Value(exactly: number)
            case .double(let number): Value(exactly: number)
            default: nil
            }
        return try unwrapped(
            exact, Value.self == Int.self ? "a whole number" : "a whole number in \(Value.min)...\(Value.max)")
    }

    private func unwrapped<Result>(_ result: Result?, _ expected: String) throws -> Result {
        guard let result else { throw unexpected(expected) }
        return result
    }

    private func unexpected(_ expected: String) -> SettingError {
        SettingError(key: Self.key(codingPath), got: value.summary, expected: expected)
    }

    /// The names of a choice's cases; nil of other types.
    private static func names(of type: Any.Type) -> [String]? {
        func names<Choice: CaseIterable>(_: Choice.Type) -> [String]? {
            let names = Choice.allCases.compactMap { ($0 as? any RawRepresentable)?.rawValue as? String }
            return names.isEmpty ? nil : names
        }
        return (type as? any CaseIterable.Type).flatMap { names($0) }
    }

    /// "groups[0].kept"
    static func key(_ path: [any CodingKey]) -> String {
        path.reduce(into: "") { text, key in
            if let index = (key as? JSONKey)?.intValue {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue
            }
        }
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
            let near = Spelling.nearest(to: key.stringValue, among: members.keys.sorted())
            throw SettingError(
                key: JSONValueDecoder.key(codingPath + [key]),
                got: "missing" + (near.map { " (there is '\($0)')" } ?? ""), expected: "a value")
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
        guard try next().value.isNull else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try taking { try $0.decode(type) }
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try taking { try $0.container(keyedBy: type) }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try taking { try $0.unkeyedContainer() }
    }

    mutating func superDecoder() throws -> any Decoder { try taking { $0 } }

    /// What `read` makes of the next element, which is passed only where that succeeds.
    private mutating func taking<Result>(_ read: (JSONValueDecoder) throws -> Result) throws -> Result {
        let result = try read(next())
        currentIndex += 1
        return result
    }

    private func next() throws -> JSONValueDecoder {
        let path = codingPath + [JSONKey(currentIndex)]
        guard currentIndex < elements.count else {
            throw SettingError(
                key: JSONValueDecoder.key(codingPath), got: "\(elements.count) values",
                expected: "at least \(currentIndex + 1)")
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

/// Builds a `JSONValue` from what a type says of itself. Containers fill the encoder they were asked of, or encoders of
/// their own for their parts.
final class JSONValueEncoder: Encoder {
    /// What has been encoded so far.
    private enum Content {
        case value(JSONValue)
        case array([JSONValueEncoder])
        case object([String: JSONValueEncoder])
    }

    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }
    /// A type without anything to encode is an object without keys.
    private var content = Content.object([:])

    init(codingPath: [any CodingKey]) { self.codingPath = codingPath }

    var value: JSONValue {
        switch content {
        case .value(let value): value
        case .array(let parts): .array(parts.map(\.value))
        case .object(let parts): .object(parts.mapValues(\.value))
        }
    }

    func container<Key: CodingKey>(keyedBy _: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .object = content {} else { content = .object([:]) }
        return KeyedEncodingContainer(KeyedContainer(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .array = content {} else { content = .array([]) }
        return UnkeyedContainer(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { SingleValueContainer(encoder: self) }

    // MARK: parts

    /// An encoder for the member `key`.
    fileprivate func member(_ key: any CodingKey) -> JSONValueEncoder {
        let part = JSONValueEncoder(codingPath: codingPath + [key])
        guard case .object(var parts) = content else { return part }
        content = .value(.null)  // so that `parts` is not copied
        parts[key.stringValue] = part
        content = .object(parts)
        return part
    }

    /// An encoder for the next element.
    fileprivate func element() -> JSONValueEncoder {
        guard case .array(var parts) = content else { return JSONValueEncoder(codingPath: codingPath) }
        let part = JSONValueEncoder(codingPath: codingPath + [JSONKey(parts.count)])
        content = .value(.null)
        parts.append(part)
        content = .array(parts)
        return part
    }

    fileprivate var elementCount: Int {
        if case .array(let parts) = content { parts.count } else { 0 }
    }

    // MARK: values

    func encode(_ value: some Encodable) throws {
        switch value {
        case let value as Bool: set(.bool(value))
        case let value as String: set(.string(value))
        case let value as Double: set(try number(value))
        case let value as Float: set(try number(value))
        case let value as any FixedWidthInteger & Encodable: set(try integer(value))
        default: try value.encode(to: self)
        }
    }

    fileprivate func set(_ value: JSONValue) { content = .value(value) }

    private func integer(_ value: some FixedWidthInteger) throws -> JSONValue {
        guard let exact = Int(exactly: value) else { throw invalid(value, "\(value) does not fit 64 bits with a sign") }
        return .int(exact)
    }

    private func number(_ value: Double) throws -> JSONValue {
        guard value.isFinite else { throw invalid(value, "a JSON document cannot hold \(value)") }
        let isWhole = value.magnitude <= 0x1p53 && value == value.rounded() && !(value == 0 && value.sign == .minus)
        return isWhole ? .int(Int(value)) : .double(value)
    }

    /// The shortest digits that read back the same: 0.1 and not 0.10000000149011612.
    private func number(_ value: Float) throws -> JSONValue {
        let shortest = Double(value.description).flatMap { Float($0) == value ? $0 : nil }
        return try number(shortest ?? Double(value))
    }

    private func invalid(_ value: Any, _ reason: String) -> EncodingError {
        .invalidValue(value, .init(codingPath: codingPath, debugDescription: reason))
    }
}

/// A key of a member, or the number of an element.
struct JSONKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ index: Int) { (stringValue, intValue) = ("\(index)", index) }
    init(stringValue: String) { (self.stringValue, intValue) = (stringValue, nil) }
    init(intValue: Int) { self.init(intValue) }

    static let `super` = JSONKey(stringValue: "super")
}

private struct KeyedContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: JSONValueEncoder
    var codingPath: [any CodingKey] { encoder.codingPath }

    func encodeNil(forKey key: Key) throws { encoder.member(key).set(.null) }
    func encode(_ value: some Encodable, forKey key: Key) throws { try encoder.member(key).encode(value) }
    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        encoder.member(key).container(keyedBy: type)
    }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        encoder.member(key).unkeyedContainer()
    }
    func superEncoder() -> any Encoder { encoder.member(JSONKey.super) }
    func superEncoder(forKey key: Key) -> any Encoder { encoder.member(key) }
}

private struct UnkeyedContainer: UnkeyedEncodingContainer {
    let encoder: JSONValueEncoder
    var codingPath: [any CodingKey] { encoder.codingPath }
    var count: Int { encoder.elementCount }

    func encodeNil() throws { encoder.element().set(.null) }
    func encode(_ value: some Encodable) throws { try encoder.element().encode(value) }
    func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type) -> KeyedEncodingContainer<NestedKey> {
        encoder.element().container(keyedBy: type)
    }
    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder.element().unkeyedContainer() }
    func superEncoder() -> any Encoder { encoder.element() }
}

private struct SingleValueContainer: SingleValueEncodingContainer {
    let encoder: JSONValueEncoder
    var codingPath: [any CodingKey] { encoder.codingPath }

    func encodeNil() throws { encoder.set(.null) }
    func encode(_ value: some Encodable) throws { try encoder.encode(value) }
}

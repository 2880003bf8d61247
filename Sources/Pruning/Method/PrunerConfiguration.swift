/// A method's own settings: every field has a default.
public protocol PrunerConfiguration: Codable, Sendable, Equatable {
    init()
    /// Throws when a value is outside its range.
    func validate() throws
}

/// A method without settings.
public struct NoConfiguration: PrunerConfiguration {
    public init() {}
    public func validate() throws {}
}

/// A setting outside its range.
public struct PrunerConfigurationError: Error, CustomStringConvertible {
    public let key: String, got: String, expected: String

    public init(key: String, got: Any, expected: String) {
        self.key = key
        self.got = "\(got)"
        self.expected = expected
    }

    public var description: String { "'\(key)' is \(got), expected \(expected)" }

    /// Throws where `holds` is false.
    public static func require(_ holds: Bool, _ key: String, _ got: Any, _ expected: String) throws {
        if !holds { throw PrunerConfigurationError(key: key, got: got, expected: expected) }
    }
}

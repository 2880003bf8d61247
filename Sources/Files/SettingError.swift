/// A setting without a meaning where it stands: what was got, and what would do.
public struct SettingError: Error, Equatable, CustomStringConvertible {
    /// As files spell it, dots between the parts of a path: "training.batch_size", "groups[0].kept"; empty for a whole
    /// document.
    public let key: String
    /// Cut where it is long: a hostile list may be as long as its file.
    public let got: String
    public let expected: String

    /// - Parameters:
    ///   - key: as files spell it, dots between the parts of a path.
    ///   - got: in words that an error can show; text is best put in quotes.
    ///   - expected: what would do.
    public init(key: String, got: Any, expected: String) {
        self.key = Self.short(key)
        self.got = Self.short("\(got)")
        self.expected = expected
    }

    public var description: String {
        key.isEmpty ? "got \(got), expected \(expected)" : "'\(key)' is \(got), expected \(expected)"
    }

    /// The same of a part of `section`.
    public func within(_ section: String) -> SettingError {
        SettingError(key: key.isEmpty ? section : "\(section).\(key)", got: got, expected: expected)
    }

    /// Runs `body`, whose settings are those of `section`.
    public static func within<Result>(_ section: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as SettingError {
            throw error.within(section)
        }
    }

    private static func short(_ text: String) -> String { text.count > 200 ? "\(text.prefix(200))…" : text }
}

/// Throws `SettingError` where a setting does not hold what it should.
public func require(
    _ holds: Bool, _ key: String, got: @autoclosure () -> Any, expected: @autoclosure () -> String
) throws {
    guard !holds else { return }
    throw SettingError(key: key, got: got(), expected: expected())
}

/// What is wrong with a configuration file or a `--set`.
public enum ConfigurationError: Error, CustomStringConvertible {
    case unreadable(source: String, reason: String)
    case unknownKey(source: String, key: String, nearest: String?, legal: [String])
    case invalid(source: String, key: String, got: String, expected: String)

    public var description: String {
        switch self {
        case .unreadable(let source, let reason): "\(source): \(reason)"
        case .unknownKey(let source, let key, let nearest, let legal):
            "\(source): unknown key '\(Self.short(key))'"
                + (nearest.map { ", did you mean '\($0)'?" }
                    ?? (legal.isEmpty ? ", expected none there" : ", expected one of \(legal.joined(separator: ", "))"))
        case .invalid(let source, let key, let got, let expected):
            "\(source): '\(Self.short(key))' is \(got), expected \(expected)"
        }
    }

    /// A hostile key may be as long as its file.
    private static func short(_ key: String) -> String { key.count > 200 ? "\(key.prefix(200))…" : key }
}

import Configuration
import Files
import Runs

/// Keys of the configuration that flags have set: what is wrong with them is said in the flags' words.
struct FlaggedKeys {
    private var flags: [String: String] = [:]
    /// "section.key=value", for a configuration.
    private(set) var overrides: [String]

    /// - Parameter overrides: those of `--set`, which flags come after.
    init(_ overrides: [String] = []) { self.overrides = overrides }

    mutating func set(_ keys: String..., flag: String, to value: Int?) {
        guard let value else { return }
        for key in keys { set(key, flag: flag, to: "\(value)") }
    }

    mutating func set(_ key: String, flag: String, to value: String?) {
        guard let value else { return }
        flags[key] = flag
        overrides.append("\(key)=\(value)")
    }

    /// Says by which flag a key is set that is no configuration's.
    mutating func name(_ key: String, as flag: String) { flags[key] = flag }

    /// Runs `body`, which reads a configuration.
    func naming<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch ConfigurationError.invalid(_, let key, let got, let expected) where flags[key] != nil {
            throw RequestError.invalid(option: flags[key] ?? key, got: got, expected: expected)
        } catch let error as SettingError where flags[error.key] != nil {
            throw RequestError.invalid(option: flags[error.key] ?? error.key, got: error.got, expected: error.expected)
        }
    }
}

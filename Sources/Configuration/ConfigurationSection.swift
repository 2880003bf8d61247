/// A part of a run's configuration: every field has a default, and values are checked after reading.
public protocol ConfigurationSection: Codable, Sendable {
    init()
    /// - Throws: `SettingError` with the key as files spell it, within the section.
    func validate() throws
}

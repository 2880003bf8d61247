/// A method's own settings: every field has a default.
public protocol PrunerConfiguration: Codable, Sendable, Equatable {
    init()
    /// - Throws: `SettingError` for a value outside its range, with the key as files spell it, within the settings.
    func validate() throws
}

/// A method without settings.
public struct NoConfiguration: PrunerConfiguration {
    public init() {}
    public func validate() throws {}
}

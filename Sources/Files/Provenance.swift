import Foundation

/// Which program made a file, when, and by which command.
public struct Provenance: Codable, Sendable, Equatable {
    /// Of this package.
    public static let currentVersion = "0.1.0"

    public var program = "diffprune"
    public var version = Provenance.currentVersion
    /// ISO 8601, UTC, whole seconds.
    public var date: String
    /// The command line as it can be typed again; nil where a library was called.
    public var command: String?

    /// Of what is made at this moment; `SOURCE_DATE_EPOCH` (seconds since 1970) takes the clock's place, so that builds
    /// can be compared byte by byte.
    ///
    /// - Parameters:
    ///   - command: may be empty.
    ///   - environment: where `SOURCE_DATE_EPOCH` is looked for.
    ///   - now: what the clock says.
    public init(
        command: String, environment: [String: String] = ProcessInfo.processInfo.environment, now: Date = Date()
    ) {
        let seconds = environment["SOURCE_DATE_EPOCH"].flatMap { Int($0) }
        // Up to the end of the year 9999, which four digits can write.
        let fixed = seconds.flatMap { (0...253_402_300_799).contains($0) ? $0 : nil }
        date = (fixed.map { Date(timeIntervalSince1970: Double($0)) } ?? now).formatted(.iso8601)
        self.command = command.isEmpty ? nil : command
    }

    /// "diffprune 0.1.0".
    public var title: String { "\(program) \(version)" }
}

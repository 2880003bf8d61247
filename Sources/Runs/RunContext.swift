import Foundation

/// Where a run writes, whether it is resumed, who is told of it, and who may stop it.
public struct RunContext {
    /// The run folder: new or empty, unless the run is resumed.
    public var output: URL
    /// Goes on with the run in `output` where there is one.
    public var resuming: Bool
    /// Where what the run works on lies, by name ("model", "teacher", "data"): noted for those who resume it.
    public var places: [String: URL]
    /// Asks the run to stop after its step, with all that was done saved.
    public var interruption: Interruption
    public var progress: ProgressHandler?
    /// Work that comes after the run: the time left that progress tells of is that until it is done too.
    public var following: [Timetable.Stretch] = []
    /// Told of what the run recovered from.
    public var warning: WarningHandler?

    public init(
        output: URL, resuming: Bool = false, places: [String: URL] = [:],
        interruption: Interruption = Interruption(), warning: WarningHandler? = nil, progress: ProgressHandler? = nil
    ) {
        self.output = output
        self.resuming = resuming
        self.places = places
        self.interruption = interruption
        self.progress = progress
        self.warning = warning
    }

    /// Opens the run folder for a run that is what `identity` says; `growth` is as in `RunFolder`.
    package func open(_ identity: RunIdentity, growth: RunIdentity.Growth) throws -> RunFolder {
        try RunFolder(
            output, identity: identity, growth: growth, places: places.mapValues(\.standardizedFileURL.path),
            resuming: resuming)
    }
}

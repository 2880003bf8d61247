import Foundation

/// Where a run writes, whether it is resumed, and who is told of it.
public struct RunContext {
    /// The run folder: new or empty, unless the run is resumed.
    public var output: URL
    /// Goes on with the run in `output` where there is one.
    public var resuming: Bool
    public var progress: ProgressHandler?
    /// Told of what the run recovered from.
    public var warning: WarningHandler?

    public init(
        output: URL, resuming: Bool = false, warning: WarningHandler? = nil, progress: ProgressHandler? = nil
    ) {
        self.output = output
        self.resuming = resuming
        self.progress = progress
        self.warning = warning
    }

    /// Opens the run folder for a run that is what `identity` says; `growth` is as in `RunFolder`.
    package func open(_ identity: RunIdentity, growth: RunIdentity.Growth) throws -> RunFolder {
        try RunFolder(output, identity: identity, growth: growth, resuming: resuming)
    }
}

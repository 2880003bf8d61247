import Files
import Foundation

/// Where a run writes, what becomes of what is there already, who is told of its progress, and who may stop it.
public struct RunContext {
    /// What becomes of an output folder that holds something already.
    public enum Occupied: Sendable {
        /// It is refused, and left as it is.
        case refused
        /// What is written takes the place of what is there.
        case overwritten
        /// The run in it is resumed.
        case resumed
    }

    /// The folder to write.
    public var output: URL
    public var occupied: Occupied
    /// The command line as it can be typed again, for what is written; empty where there is none.
    public var command: String
    /// Where what the run works on lies, by name ("model", "teacher", "data"): noted for those who resume it.
    public var places: [String: URL]
    /// What was asked for by flags that the configuration has no key for, by name: noted for those who resume the run.
    public var flags: [String: String]
    /// Asks the run to stop after its step, with all that was done saved.
    public var interruption: Interruption
    public var progress: ProgressHandler?
    /// Work that comes after the run: the time left that progress tells of is that until it is done too.
    public var following: [Timetable.Stretch] = []
    /// Told of what the run recovered from.
    public var warning: WarningHandler?

    public init(
        output: URL, occupied: Occupied = .refused, command: String = "", places: [String: URL] = [:],
        flags: [String: String] = [:], interruption: Interruption = Interruption(), progress: ProgressHandler? = nil,
        warning: WarningHandler? = nil
    ) {
        self.output = output
        self.occupied = occupied
        self.command = command
        self.places = places
        self.flags = flags
        self.interruption = interruption
        self.progress = progress
        self.warning = warning
    }

    package var isResuming: Bool { occupied == .resumed }

    /// Opens the run folder for a run that is what `identity` says; `growth` is as in `RunFolder`.
    /// - Throws: as `RunFolder`; `RequestError` where a run is to be overwritten.
    package func open(_ identity: RunIdentity, growth: RunIdentity.Growth) throws -> RunFolder {
        guard occupied != .overwritten else {
            throw RequestError.conflict("\(output.path): a run is not overwritten, expected a new or empty folder")
        }
        return try RunFolder(
            output, identity: identity, growth: growth, places: places.mapValues(\.standardizedFileURL.path),
            flags: flags, resuming: isResuming)
    }

    /// Runs `body` with an output folder that can be written; where it throws, none is left that was not there.
    ///
    /// For work that is done at once.
    /// - Throws: `StorageError` where the folder is occupied or not writable, `RequestError` where it is to be resumed.
    package func writing<Result>(_ body: () throws -> Result) throws -> Result {
        guard occupied != .resumed else {
            throw RequestError.conflict("\(output.path): there is no run to resume, expected a new or empty folder")
        }
        return try OutputClaim.holding(output) {
            // A folder that cannot be written is found out before the work, not after it.
            try OutputFolder.claiming(output, overwriting: occupied == .overwritten, body)
        }
    }
}

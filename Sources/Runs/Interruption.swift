import Synchronization

/// Whether work that can be gone on with is asked to stop. Asked from any thread, once; the work looks between its
/// steps, saves what it has and ends with `RunStopped`.
public final class Interruption: Sendable {
    private struct State {
        var isRequested = false
        /// Pieces of work under way that look.
        var heeding = 0
    }

    private let state = Mutex(State())

    public init() {}

    /// Asks the work to stop.
    ///
    /// - Returns: whether any is under way that looks; else the request waits for what does.
    @discardableResult
    public func request() -> Bool {
        state.withLock { state in
            state.isRequested = true
            return state.heeding > 0
        }
    }

    public var isRequested: Bool { state.withLock { $0.isRequested } }

    /// Ends a piece of work that leaves nothing half done where it stands.
    /// - Throws: `Requested` where a stop was asked for.
    public func check() throws {
        if isRequested { throw Requested() }
    }

    /// Runs `body`, which looks at the request from time to time.
    package func heeded<Result>(_ body: () throws -> Result) rethrows -> Result {
        state.withLock { $0.heeding += 1 }
        defer { state.withLock { $0.heeding -= 1 } }
        return try body()
    }

    /// What `check` throws; who knows how far the run has come makes it `RunStopped`.
    public struct Requested: Error, CustomStringConvertible {
        public var description: String { "stopped as asked" }
    }
}

/// A run that stopped because it was asked to. Its folder holds all that was done; resumed, it ends as if it had never
/// stopped.
public struct RunStopped: Error, Equatable, CustomStringConvertible {
    /// "step 29 of 1000"
    public let reached: String

    public init(reached: String) { self.reached = reached }

    public var description: String { "stopped at \(reached)" }
}

import Foundation
import Synchronization

/// What this process has under construction, so that an interrupted one can take it away before it ends.
///
/// Errors clear up by themselves on their way out; this is for signals, which end a process wherever it is.
public enum Unfinished {
    /// Why the process ends.
    public enum Ending: Sendable {
        /// Somebody wants it to: what a resumed run can go on from stays.
        case interruption
        /// It cannot go on, as after an error: what is not worth keeping goes.
        case failure
    }

    private struct State {
        var next = 0
        var cleanUps: [Int: @Sendable (Ending) -> Void] = [:]
    }

    private static let state = Mutex(State())

    /// Runs `body`. If the process is interrupted meanwhile, `cleanUp` is run, on another thread,
    /// while `body` may still be at work.
    package static func clearing<Result>(
        by cleanUp: @escaping @Sendable (Ending) -> Void, _ body: () throws -> Result
    ) rethrows -> Result {
        let number = state.withLock { state in
            state.next += 1
            state.cleanUps[state.next] = cleanUp
            return state.next
        }
        defer { state.withLock { $0.cleanUps[number] = nil } }
        return try body()
    }

    /// Runs `body` on what `make` made. It is taken away by `cleanUp` where `body` throws, and where the process is
    /// interrupted at any moment after it was made.
    package static func building<Result>(
        making make: () throws -> Void, clearedBy cleanUp: @escaping @Sendable () -> Void, _ body: () throws -> Result
    ) throws -> Result {
        let number = try state.withLock { state in
            try make()
            state.next += 1
            state.cleanUps[state.next] = { _ in cleanUp() }
            return state.next
        }
        defer { state.withLock { $0.cleanUps[number] = nil } }
        do {
            return try body()
        } catch {
            cleanUp()
            throw error
        }
    }

    /// Runs a step, such as a series of renames, that no interruption may fall into.
    package static func uninterrupted<Result>(_ step: () throws -> Result) rethrows -> Result {
        try state.withLock { _ in try step() }
    }

    /// Takes away what is under construction, the newest first, then ends the process by `end`. Other threads that
    /// reach the end of a piece of work wait for that.
    public static func interrupt(_ end: () -> Never) -> Never {
        state.withLock { state in
            for number in state.cleanUps.keys.sorted(by: >) { state.cleanUps[number]?(.interruption) }
            end()
        }
    }

    /// The same where the process cannot go on, and the thread that finds so may be in the midst of anything: where a
    /// step that may not be interrupted is going on, and does not end soon, nothing is taken away.
    public static func fail(_ end: () -> Never) -> Never {
        for _ in 0..<1000 {
            state.withLockIfAvailable { state in
                for number in state.cleanUps.keys.sorted(by: >) { state.cleanUps[number]?(.failure) }
                end()
            }
            usleep(1000)
        }
        end()
    }

    /// Deletes a folder that another thread may still be writing into.
    package static func clear(_ folder: URL) {
        for _ in 0..<100 where FileKind(at: folder) == .folder {
            if (try? FileManager.default.removeItem(at: folder)) == nil { usleep(1000) }
        }
    }
}

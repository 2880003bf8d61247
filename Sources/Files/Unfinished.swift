import Foundation
import Synchronization

/// What this process has under construction, so that an interrupted one can take it away before it ends.
///
/// Errors clear up by themselves on their way out; this is for signals, which end a process wherever it is.
public enum Unfinished {
    private struct State {
        var next = 0
        var cleanUps: [Int: @Sendable () -> Void] = [:]
    }

    private static let state = Mutex(State())

    /// Runs `body`. If the process is interrupted meanwhile, `cleanUp` is run, on another thread,
    /// while `body` may still be at work.
    package static func clearing<Result>(
        by cleanUp: @escaping @Sendable () -> Void, _ body: () throws -> Result
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
            state.cleanUps[state.next] = cleanUp
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
            for number in state.cleanUps.keys.sorted(by: >) { state.cleanUps[number]?() }
            end()
        }
    }

    /// Deletes a folder that another thread may still be writing into.
    package static func clear(_ folder: URL) {
        for _ in 0..<100 where FileKind(at: folder) == .folder {
            if (try? FileManager.default.removeItem(at: folder)) == nil { usleep(1000) }
        }
    }
}

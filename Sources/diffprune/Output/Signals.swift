import Files
import Foundation
import Runs
import Synchronization

/// What happens when the user or the system asks the program to stop. A run that can be gone on with is asked to end
/// after its step; anything else ends at once, and so does a run when a second signal comes: unfinished files and
/// folders are taken away, then the signal does what it does to every program, so that a shell sees why it ended.
enum Signals {
    /// What runs are handed: set by the first signal.
    static let interruption = Interruption()

    /// The first that came; 0 before.
    private static let first = Atomic<Int32>(0)

    /// Called once, at the start.
    static func prepare() {
        let signals = [SIGINT, SIGTERM, SIGHUP].filter { !isIgnored($0) }
        var ends: [Int32] = [-1, -1]
        guard !signals.isEmpty, pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let readEnd = ends[0]
        wakeUp = ends[1]
        for number in signals {
            var action = sigaction()
            // All that a signal handler may do is to write a byte: it runs in the midst of anything, on any thread.
            action.__sigaction_handler.sa_handler = { number in
                let saved = errno
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(wakeUp, &byte, 1)
                errno = saved
            }
            action.sa_flags = SA_RESTART
            sigaction(number, &action, nil)
        }
        // Before the thread, which would inherit the mask and could not end the process by the signal.
        unblock(signals)
        Thread.detachNewThread {
            let number = next(from: readEnd)
            first.store(number, ordering: .relaxed)
            if interruption.request() {
                StandardStreams.announceStop(isKey: number == SIGINT)
                end(by: next(from: readEnd))
            }
            end(by: number)
        }
    }

    /// Ends the process by the signal that asked a run to stop, once it has.
    static func endStoppedRun() -> Never { end(by: first.load(ordering: .relaxed)) }

    private static func next(from descriptor: Int32) -> Int32 {
        var number: UInt8 = 0
        while read(descriptor, &number, 1) != 1 {}
        return Int32(number)
    }

    /// Programs that start others from a thread of their own often hand on that thread's mask, which blocks every
    /// signal (Foundation's `Process` does from a dispatch queue); this one could then be ended by SIGKILL alone.
    private static func unblock(_ signals: [Int32]) {
        var set = sigset_t()
        sigemptyset(&set)
        for number in signals { sigaddset(&set, number) }
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    private static func end(by number: Int32) -> Never {
        Unfinished.interrupt {
            StandardStreams.closeLine()
            signal(number, SIG_DFL)
            raise(number)
            // The first process of a container outlives the signal.
            _exit(128 + number)
        }
    }

    /// As under nohup: who started the program wants it to go on.
    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        sigaction(number, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}

/// Where a handler tells the thread that clears up which signal came; written once, before there are handlers.
nonisolated(unsafe) private var wakeUp: Int32 = -1

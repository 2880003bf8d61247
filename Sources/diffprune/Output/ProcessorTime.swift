import Files
import Foundation

/// What happens where the processor time that the system allows the process (ulimit -t) is used up: unfinished files
/// and folders are taken away and one line says so, as after an error.
enum ProcessorTime {
    nonisolated(unsafe) private static var wakeUp: Int32 = -1

    /// Called once, at the start.
    static func prepare() {
        guard ResourceLimit.warnOfProcessorTime() else { return }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let readEnd = ends[0]
        wakeUp = ends[1]
        let isWatched = SystemThread.start {
            var byte: UInt8 = 0
            while read(readEnd, &byte, 1) != 1 {}
            Unfinished.fail {
                StandardStreams.fail("the processor time that this process may take (ulimit -t) is used up")
                _exit(ExitStatus.data)
            }
        }
        guard isWatched else { return }
        signal(SIGXCPU) { _ in
            let saved = errno
            var byte: UInt8 = 1
            _ = write(ProcessorTime.wakeUp, &byte, 1)
            errno = saved
        }
        // Whoever starts the program may have blocked it, as test runners do.
        var mask = sigset_t()
        sigemptyset(&mask)
        sigaddset(&mask, SIGXCPU)
        pthread_sigmask(SIG_UNBLOCK, &mask, nil)
    }
}

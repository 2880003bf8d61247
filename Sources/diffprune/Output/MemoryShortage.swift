import CHeap
import Files
import Foundation
import Reports
import Synchronization
import TensorCore

/// What happens where there is no memory left: unfinished files and folders are taken away, one line says so, and the
/// process ends, as it does after an error. No call in Swift can fail for that reason, so there is nothing to throw.
enum MemoryShortage {
    private static let reserveBytes = 4 << 20
    /// Address space that is given up for what has to be done at the end.
    nonisolated(unsafe) private static var reserve: UnsafeMutableRawPointer?
    /// The thread that ends the process; 0 before.
    private static let ending = Atomic<UInt>(0)

    /// Called once, at the start.
    static func prepare() {
        let memory = mmap(nil, reserveBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        reserve = memory == MAP_FAILED ? nil : memory
        Engine.onMemoryExhausted { MemoryShortage.end(missing: $0) }
        heap_on_exhaustion { MemoryShortage.end(missing: $0) }
    }

    private static func end(missing bytes: Int) {
        let own = UInt(bitPattern: unsafeBitCast(pthread_self(), to: UnsafeRawPointer?.self))
        let (isFirst, other) = ending.compareExchange(expected: 0, desired: own, ordering: .relaxed)
        if !isFirst {
            // Even the end takes more than there is; or another thread is at it.
            if other == own { endAtOnce(SIGALRM) }
            while true { pause() }
        }
        // What was going on may hold what the end needs, and never give it back.
        signal(SIGALRM, endAtOnce)
        alarm(5)
        if let reserve { munmap(reserve, reserveBytes) }
        Unfinished.fail {
            StandardStreams.fail(
                "not enough memory: \(NumberText.bytes(Double(bytes))) more are needed than the system, or a limit "
                    + "set for this process, has left; smaller batches and images take less")
            _exit(ExitStatus.data)
        }
    }
}

/// Without memory, locks or anything that runs on a stack of some depth.
private func endAtOnce(_: Int32) {
    let text: StaticString = "error: not enough memory\n"
    _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
    _exit(65)
}

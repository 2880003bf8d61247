import Foundation

/// The program runs on the stack that the system gives its first thread, unless a limit (ulimit -s) makes that one so
/// small that Swift's runtime would overrun it.
enum RoomyStack {
    private static let bytes = 8 << 20
    private static let least: UInt64 = 1 << 20

    /// Runs `work`, which ends the process.
    static func run(_ work: @escaping () -> Never) -> Never {
        guard let limit = ResourceLimit.stackBytes, limit < least else { work() }
        // Without a second thread the little there is may do.
        guard SystemThread.start(stackBytes: bytes, { work() }) else { work() }
        while true { pause() }
    }
}

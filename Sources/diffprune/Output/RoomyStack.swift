import Foundation

/// The program runs on the stack that the system gives its first thread, unless a limit (ulimit -s) makes that one so
/// small that Swift's runtime would overrun it.
enum RoomyStack {
    private static let bytes = 8 << 20
    private static let least = 1 << 20
    nonisolated(unsafe) private static var work: () -> Void = {}

    /// Runs `work`, which ends the process. Called once.
    static func run(_ work: @escaping () -> Never) -> Never {
        var limit = rlimit()
        #if os(Linux)
            let stack = __rlimit_resource_t(RLIMIT_STACK.rawValue)
        #else
            let stack = RLIMIT_STACK
        #endif
        guard getrlimit(stack, &limit) == 0, limit.rlim_cur < least else { work() }
        Self.work = { work() }
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, bytes)
        #if os(Linux)
            var thread = pthread_t()
        #else
            var thread: pthread_t?
        #endif
        let status = pthread_create(
            &thread, &attributes,
            { _ in
                RoomyStack.work()
                return nil
            }, nil)
        // Without a second thread the little there is may do.
        guard status == 0 else { work() }
        while true { pause() }
    }
}

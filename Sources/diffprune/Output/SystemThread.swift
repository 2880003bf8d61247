import Foundation

/// Threads whose start may fail: Foundation's give no sign of it.
enum SystemThread {
    private final class Work {
        let body: () -> Void

        init(_ body: @escaping () -> Void) { self.body = body }

        static func run(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
            Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
            return nil
        }
    }

    /// Starts a thread that runs `body`.
    /// - Returns: whether there is one.
    static func start(stackBytes: Int = 1 << 20, _ body: @escaping () -> Void) -> Bool {
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { return false }
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let context = Unmanaged.passRetained(Work(body)).toOpaque()
        #if canImport(Darwin)
            var thread: pthread_t?
            let status = pthread_create(&thread, &attributes, { Work.run($0) }, context)
        #else
            var thread = pthread_t()
            let status = pthread_create(&thread, &attributes, { Work.run($0!) }, context)
        #endif
        if status != 0 { Unmanaged<Work>.fromOpaque(context).release() }
        return status == 0
    }
}

import Foundation

/// Limits that the system sets for the process (ulimit).
enum ResourceLimit {
    /// Seconds of processor time after which it sends SIGXCPU; nil for no limit.
    static var processorSeconds: UInt64? { value(RLIMIT_CPU) }

    /// Bytes of the first thread's stack; nil for no limit.
    static var stackBytes: UInt64? { value(RLIMIT_STACK) }

    #if canImport(Darwin)
        private static func value(_ resource: Int32) -> UInt64? { read { getrlimit(resource, &$0) } }
    #else
        private static func value(_ resource: __rlimit_resource) -> UInt64? {
            read { getrlimit(__rlimit_resource_t(resource.rawValue), &$0) }
        }
    #endif

    private static func read(_ ask: (inout rlimit) -> Int32) -> UInt64? {
        var limit = rlimit()
        // No limit is the largest number, which C spells as an expression.
        guard ask(&limit) == 0, limit.rlim_cur < rlim_t(Int64.max) else { return nil }
        return UInt64(limit.rlim_cur)
    }
}

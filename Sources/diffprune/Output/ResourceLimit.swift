import Foundation

/// Limits that the system sets for the process (ulimit).
enum ResourceLimit {
    /// Bytes of the first thread's stack; nil for no limit.
    static var stackBytes: UInt64? {
        let limit = get(RLIMIT_STACK).rlim_cur
        return limit < unlimited ? UInt64(limit) : nil
    }

    /// Sees to it that the system sends SIGXCPU before processor time is used up. Where it would end the process at the
    /// same moment, as after `ulimit -t`, the signal is asked for a second earlier; a limit of one second leaves none.
    ///
    /// - Returns: whether there is such a limit.
    static func warnOfProcessorTime() -> Bool {
        var limit = get(RLIMIT_CPU)
        guard limit.rlim_cur < unlimited else { return false }
        if limit.rlim_cur >= limit.rlim_max, limit.rlim_max > 1 {
            limit.rlim_cur = limit.rlim_max - 1
            set(RLIMIT_CPU, limit)
        }
        return true
    }

    /// No limit is the largest number, which C spells as an expression.
    private static let unlimited = rlim_t(Int64.max)

    #if canImport(Darwin)
        private static func get(_ resource: Int32) -> rlimit {
            var limit = rlimit(rlim_cur: rlim_t(Int64.max), rlim_max: rlim_t(Int64.max))
            getrlimit(resource, &limit)
            return limit
        }

        private static func set(_ resource: Int32, _ limit: rlimit) {
            var limit = limit
            setrlimit(resource, &limit)
        }
    #else
        private static func get(_ resource: __rlimit_resource) -> rlimit {
            var limit = rlimit(rlim_cur: rlim_t(Int64.max), rlim_max: rlim_t(Int64.max))
            getrlimit(__rlimit_resource_t(resource.rawValue), &limit)
            return limit
        }

        private static func set(_ resource: __rlimit_resource, _ limit: rlimit) {
            var limit = limit
            setrlimit(__rlimit_resource_t(resource.rawValue), &limit)
        }
    #endif
}

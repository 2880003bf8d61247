import CKernels

/// The one thread pool and the processor path that every kernel uses.
public enum Engine {
    /// Threads that kernels run on, the caller's included. Results do not depend on it.
    public static var threads: Int {
        get { Int(dk_threads()) }
        set { dk_set_threads(Int32(min(max(newValue, 1), 256))) }
    }

    /// "avx512", "avx2" or "portable": the widest the processor has, or what DIFFPRUNE_ISA asks for.
    public static var instructionSet: String { String(cString: dk_isa_name()) }

    /// Why DIFFPRUNE_ISA was not honoured, if it was not.
    public static var instructionSetError: String? { dk_isa_request_error().map { String(cString: $0) } }

    /// Sets what is called, on whatever thread, where the system has no memory left for tensors, with the bytes that
    /// were wanted. It is to end the process; without it the process is aborted.
    public static func onMemoryExhausted(_ handler: @convention(c) (Int) -> Void) { dk_memory_on_exhaustion(handler) }

    /// Runs `body` for every number below `count`, on the pool's threads; kernels called inside stay on their thread.
    public static func parallel(_ count: Int, _ body: (Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            var context = body
            withUnsafeMutablePointer(to: &context) { pointer in
                dk_parallel(
                    count, { $0!.assumingMemoryBound(to: ((Int) -> Void).self).pointee($1) },
                    UnsafeMutableRawPointer(pointer))
            }
        }
    }
}

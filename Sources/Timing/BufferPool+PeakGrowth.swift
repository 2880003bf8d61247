import TensorCore

extension BufferPool {
    /// Runs `body`; the most bytes of buffers in use at one time meanwhile, beyond those in use before.
    public func peakGrowth(during body: () throws -> Void) rethrows -> Int {
        resetPeak()
        let before = peakBytesInUse
        try body()
        return peakBytesInUse - before
    }
}

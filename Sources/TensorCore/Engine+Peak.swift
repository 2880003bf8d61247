import CKernels

extension Engine {
    /// One burst of multiply–adds on all threads, a millisecond or a few: floating-point operations a second, a
    /// multiply–add being two. The largest of many bursts is the peak that the engine's instruction set has on this
    /// machine, at the clock it runs at and with whatever else it does.
    public static func multiplyAddBurst() -> Double {
        let items = 8 * threads
        // Wakes the threads, which would otherwise still be asleep when the clock starts.
        _ = dk_fma_burst(items, 1000)
        let clock = ContinuousClock()
        var operations = 0.0
        let duration = clock.measure { operations = dk_fma_burst(items, 100_000) }
        return operations / (duration / .seconds(1))
    }
}

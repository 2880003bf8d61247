/// When a checkpoint is due by the time since the last one.
struct CheckpointPace {
    private let interval: Duration?
    private let clock = ContinuousClock()
    private var last = ContinuousClock.now
    /// What the last checkpoint took.
    private var cost = Duration.zero

    /// Of a run's time at most this share, its inverse, goes into checkpoints that are made by time.
    private static let share = 20

    /// - Parameter minutes: between checkpoints; 0 for none by time.
    init(minutes: Double) { interval = minutes > 0 ? .seconds(60 * minutes) : nil }

    var isDue: Bool {
        guard let interval else { return false }
        return clock.now - last >= max(interval, cost * Self.share)
    }

    /// Runs `save`, from whose end the next interval is counted.
    mutating func timed(_ save: () throws -> Void) rethrows {
        let start = clock.now
        try save()
        last = clock.now
        cost = last - start
    }
}

/// Tells of work by the timetable of all that is to come: how far it is, and when all will be done.
///
/// Work calls `at` before a piece and `finished` after it; the time between is the piece's. What lies between a piece
/// and the next one counts to the next.
public final class ProgressReporter {
    private let handler: ProgressHandler?
    public private(set) var timetable: Timetable
    private let now: () -> Double
    /// When the piece under way began.
    private var start: Double
    /// Whether it was said how long all will take.
    private var hasStated = false
    /// Kinds that are to be measured before that is said.
    private let stated: Set<String>

    /// - Parameters:
    ///   - handler: who is told; nil for nobody.
    ///   - timetable: the work there is.
    ///   - stated: kinds of work without whose measure it is not said how long all will take.
    ///   - now: seconds of a clock.
    public init(
        _ handler: ProgressHandler?, _ timetable: Timetable, stated: Set<String> = [],
        now: @escaping () -> Double = ProgressReporter.seconds
    ) {
        self.handler = handler
        self.timetable = timetable
        self.stated = stated
        self.now = now
        start = now()
    }

    /// Whether anybody listens.
    public var isHeard: Bool { handler != nil }

    private static let clock = ContinuousClock()
    private static let beginning = ContinuousClock.now
    /// Of a clock that goes on while the machine sleeps.
    public static func seconds() -> Double { (clock.now - beginning) / .seconds(1) }

    /// The work stands here; a piece begins.
    public func at(_ update: ProgressUpdate) {
        start = now()
        tell(update)
    }

    /// A piece of a stretch is done.
    public func finished(_ stretch: Int, _ update: ProgressUpdate? = nil) {
        let end = now()
        timetable.finish(stretch, seconds: end - start)
        start = end
        state(timetable.stretches[stretch].kind)
        update.map(tell)
    }

    /// A piece of this kind was tried out.
    public func tried(_ kind: String, _ body: () throws -> Void) rethrows {
        start = now()
        try body()
        let end = now()
        timetable.measure(kind, seconds: end - start)
        start = end
    }

    /// A piece of this kind, timed elsewhere, took so long.
    public func measure(_ kind: String, seconds: Double) {
        timetable.measure(kind, seconds: seconds)
        start = now()
    }

    /// A stretch is over, whether or not all its pieces were needed.
    public func leave(_ stretch: Int) { timetable.leave(stretch) }

    private func tell(_ update: ProgressUpdate) {
        guard let handler else { return }
        var update = update
        update.remaining = timetable.remaining
        handler(update)
    }

    /// Says once how long all will take, as soon as it is known.
    private func state(_ kind: String) {
        guard !hasStated, let handler, timetable.isMeasured(kind), stated.allSatisfy(timetable.isMeasured),
            let outlook = timetable.outlook, !outlook.items.isEmpty
        else { return }
        hasStated = true
        handler(ProgressUpdate(statement: outlook.description))
    }
}

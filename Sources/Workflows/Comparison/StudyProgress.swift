import Runs

/// Tells of several runs as of one piece of work: which of them is under way, and when all will be done.
struct StudyProgress {
    private let handler: ProgressHandler?
    private let total: Int
    /// Seconds of the runs that this process carried out.
    private var taken: [Double] = []

    init(_ handler: ProgressHandler?, total: Int) {
        self.handler = handler
        self.total = total
    }

    /// - Parameters:
    ///   - index: of the run.
    ///   - name: what it is beside its number.
    ///   - body: carries it out, telling whom it is handed; returns whether anything was done.
    mutating func measure(
        _ index: Int, _ name: String, _ body: (ProgressHandler?) throws -> Bool
    ) rethrows {
        let start = ProgressReporter.seconds()
        let place = "run \(index + 1) of \(total), \(name)"
        let (mean, after) = (taken.isEmpty ? nil : taken.reduce(0, +) / Double(taken.count), total - index - 1)
        let tell: ProgressHandler? = handler.map { handler in
            { update in
                var update = update
                if update.isStatement {
                    update.phase = "\(place): \(update.phase)"
                } else {
                    update.place = update.place.isEmpty ? place : "\(update.place), \(place)"
                    update.remaining = update.remaining.map { left in
                        // Like those before; the first is taken for what it will have been.
                        left + Double(after) * (mean ?? ProgressReporter.seconds() - start + left)
                    }
                }
                handler(update)
            }
        }
        if try body(tell) { taken.append(ProgressReporter.seconds() - start) }
    }
}

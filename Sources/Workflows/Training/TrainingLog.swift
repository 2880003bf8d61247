import Files

/// Averages the loss between lines of the log, over all phases of a run. Its state goes into checkpoints, so that a
/// resumed run's lines are those of the uninterrupted one wherever it was cut.
final class TrainingLog {
    private let every: Int
    private var sum = 0.0
    private var count = 0
    private var last: (gradientNorm: Double, learningRate: Double) = (0, 0)
    /// Mean loss of the last full interval, or the first loss before there is one.
    private(set) var recentLoss = 0.0

    init(every: Int) { self.every = every }

    /// What to log after this step, if it is time.
    func add(_ report: TrainingStepReport) -> [String: JSONValue]? {
        sum += report.loss
        count += 1
        last = (report.gradientNorm, report.learningRate)
        if recentLoss == 0 { recentLoss = report.loss }
        return report.step % every == 0 ? flush() : nil
    }

    /// What to log when the run ends within an interval: the mean over the part of it that was run. nil at an interval's
    /// end.
    func flush() -> [String: JSONValue]? {
        guard count > 0 else { return nil }
        recentLoss = sum / Double(count)
        (sum, count) = (0, 0)
        return [
            "loss": .double(recentLoss), "gradient_norm": .double(last.gradientNorm),
            "learning_rate": .double(last.learningRate),
        ]
    }

    // MARK: checkpoints

    var state: JSONValue {
        [
            "sum": .double(sum), "count": .int(count), "gradient_norm": .double(last.gradientNorm),
            "learning_rate": .double(last.learningRate), "recent_loss": .double(recentLoss),
        ]
    }

    /// - Parameter step: the steps done so far.
    /// - Returns: false where `state` is not a log's after so many steps.
    func restore(_ state: JSONValue?, step: Int) -> Bool {
        guard let sum = state?["sum"]?.doubleValue, let count = state?["count"]?.intValue, (0...step).contains(count),
            let norm = state?["gradient_norm"]?.doubleValue, let rate = state?["learning_rate"]?.doubleValue,
            let recent = state?["recent_loss"]?.doubleValue
        else { return false }
        (self.sum, self.count, last, recentLoss) = (sum, count, (norm, rate), recent)
        return true
    }
}

extension Double {
    /// With this many digits after the point.
    func formatted(digits: Int) -> String {
        guard isFinite else { return "\(self)" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = (abs(self) * scale).rounded()
        guard scaled < 1e15 else { return "\(self)" }
        let whole = Int(scaled / scale)
        let rest = "\(Int(scaled) - whole * Int(scale))"
        let sign = self < 0 && scaled > 0 ? "-" : ""
        return digits == 0
            ? "\(sign)\(whole)" : "\(sign)\(whole)." + String(repeating: "0", count: digits - rest.count) + rest
    }
}

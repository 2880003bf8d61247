import Files

/// Averages the loss between lines of the log, over all phases of a run. Its state goes into checkpoints, so that a
/// resumed run's lines are those of the uninterrupted one wherever it was cut.
public final class TrainingLog {
    private let every: Int
    private var sum = 0.0
    private var count = 0
    private var last: (gradientNorm: Double, learningRate: Double, penalty: Double?) = (0, 0, nil)
    /// Mean loss of the last full interval, or the first loss before there is one.
    public private(set) var recentLoss = 0.0

    public init(every: Int) { self.every = every }

    /// What to log after this step, if it is time.
    public func add(_ report: TrainingStepReport) -> [String: JSONValue]? {
        sum += report.loss
        count += 1
        last = (report.gradientNorm, report.learningRate, report.penalty)
        if recentLoss == 0 { recentLoss = report.loss }
        return report.step % every == 0 ? flush() : nil
    }

    /// What to log when the run ends within an interval: the mean over the part of it that was run.
    /// nil at an interval's end.
    public func flush() -> [String: JSONValue]? {
        guard count > 0 else { return nil }
        recentLoss = sum / Double(count)
        (sum, count) = (0, 0)
        return entry(["loss": .double(recentLoss)])
    }

    // MARK: checkpoints

    public var state: JSONValue {
        .object(entry(["sum": .double(sum), "count": .int(count), "recent_loss": .double(recentLoss)]))
    }

    /// `members` with what is known of the last step.
    private func entry(_ members: [String: JSONValue]) -> [String: JSONValue] {
        var members = members
        members["gradient_norm"] = .double(last.gradientNorm)
        members["learning_rate"] = .double(last.learningRate)
        members["penalty"] = last.penalty.map { .double($0) }
        return members
    }

    /// - Parameters:
    ///   - state: what `state` gave.
    ///   - step: the steps done so far.
    /// - Returns: false where `state` is not a log's after so many steps.
    public func restore(_ state: JSONValue?, step: Int) -> Bool {
        guard let sum = state?["sum"]?.doubleValue, let count = state?["count"]?.intValue, (0...step).contains(count),
            let norm = state?["gradient_norm"]?.doubleValue, let rate = state?["learning_rate"]?.doubleValue,
            let recent = state?["recent_loss"]?.doubleValue
        else { return false }
        (self.sum, self.count, recentLoss) = (sum, count, recent)
        last = (norm, rate, state?["penalty"]?.doubleValue)
        return true
    }
}

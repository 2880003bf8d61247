import Files

/// Averages the loss, and the terms beside it, between lines of the log, over all phases of a run. Its state goes into
/// checkpoints, so that a resumed run's lines are those of the uninterrupted one wherever it was cut.
public final class TrainingLog {
    private let every: Int
    private var sum = 0.0
    private var count = 0
    /// Sums of the terms beside the loss, by name.
    private var terms: [String: Double] = [:]
    private var last: (gradientNorm: Double, learningRate: Double, penalty: Double?) = (0, 0, nil)
    /// Mean loss of the last full interval, or the first loss before there is one.
    public private(set) var recentLoss = 0.0

    public init(every: Int) { self.every = every }

    /// What to log after this step, if it is time.
    public func add(_ report: TrainingStepReport) -> [String: JSONValue]? {
        sum += report.loss
        count += 1
        for (name, term) in report.terms { terms[name, default: 0] += term }
        last = (report.gradientNorm, report.learningRate, report.penalty)
        if recentLoss == 0 { recentLoss = report.loss }
        return report.step % every == 0 ? flush() : nil
    }

    /// What to log when the run ends within an interval: the mean over the part of it that was run.
    /// nil at an interval's end.
    public func flush() -> [String: JSONValue]? {
        guard count > 0 else { return nil }
        recentLoss = sum / Double(count)
        var members = terms.mapValues { JSONValue.double($0 / Double(count)) }
        members["loss"] = .double(recentLoss)
        (sum, count, terms) = (0, 0, [:])
        return entry(members)
    }

    // MARK: checkpoints

    public var state: JSONValue {
        var members: [String: JSONValue] = [
            "sum": .double(sum), "count": .int(count), "recent_loss": .double(recentLoss),
        ]
        if !terms.isEmpty { members["terms"] = .object(terms.mapValues { .double($0) }) }
        return .object(entry(members))
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
        let saved = state?["terms"]?.objectValue ?? [:]
        let terms = saved.compactMapValues(\.doubleValue)
        guard terms.count == saved.count else { return false }
        (self.sum, self.count, self.terms, recentLoss) = (sum, count, terms, recent)
        last = (norm, rate, state?["penalty"]?.doubleValue)
        return true
    }
}

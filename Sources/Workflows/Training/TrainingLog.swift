import Storage

/// Averages the loss between lines of the log.
struct TrainingLog {
    private let every: Int
    private let steps: Int
    private var sum = 0.0
    private var count = 0
    /// Mean loss of the last full interval, or of the present one before the first.
    private(set) var recentLoss = 0.0

    init(every: Int, steps: Int) {
        self.every = every
        self.steps = steps
    }

    /// What to log after this step, if it is time.
    mutating func add(_ report: TrainingStepReport) -> [String: JSONValue]? {
        sum += report.loss
        count += 1
        if recentLoss == 0 { recentLoss = report.loss }
        guard report.step % every == 0 || report.step == steps else { return nil }
        recentLoss = sum / Double(count)
        (sum, count) = (0, 0)
        return [
            "loss": .double(recentLoss), "gradient_norm": .double(report.gradientNorm),
            "learning_rate": .double(report.learningRate),
        ]
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

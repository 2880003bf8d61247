/// How much one treatment is above another where both were measured on the same subjects in the same replicates, such
/// as two methods' SSIM on the same pictures with the same seeds.
///
/// The differences d of S replicates and P subjects are taken as μ + a replicate's effect + a subject's effect + a
/// rest, all independent. With the mean squares of a two-way layout without repetition,
///
///     M_S = P·Σ (d̄_s − d̄)²/(S − 1)      M_P = S·Σ (d̄_p − d̄)²/(P − 1)
///     M_E = Σ (d_sp − d̄_s − d̄_p + d̄)²/((S − 1)(P − 1)),
///
/// the variance of d̄ is (M_S + M_P − M_E)/(S·P): each of the first two has the rest in it once. Its degrees of freedom
/// are Satterthwaite's. Both kinds of chance are in the interval: other pictures as well as other seeds. One replicate
/// says nothing of other ones: the interval is then over subjects alone.
///
/// Based on: Satterthwaite, "An Approximate Distribution of Estimates of Variance Components", Biometrics Bulletin 2
/// (1946).
public struct CrossedDifference: Sendable, Equatable {
    public let mean: Double
    /// 95 %; nil where there are too few values for one.
    public let interval: ClosedRange<Double>?

    /// Whether zero lies outside of the interval.
    public var isSignificant: Bool { interval.map { !$0.contains(0) } ?? false }

    /// - Parameter differences: by replicate, then by subject; all replicates of the same subjects.
    /// - Throws: `StatisticsError` for no value at all, or values that are not finite.
    public init(_ differences: [[Double]]) throws(StatisticsError) {
        let (replicates, subjects) = (differences.count, differences.first?.count ?? 0)
        precondition(differences.allSatisfy { $0.count == subjects }, "every replicate has the same subjects")
        guard replicates > 0, subjects > 0 else {
            throw .tooFewSamples(what: "a difference", got: 0, needed: 1)
        }
        for (index, value) in differences.joined().enumerated() where !value.isFinite {
            throw .notFinite(what: "the list of differences", index: index)
        }
        let (s, p) = (Double(replicates), Double(subjects))
        let byReplicate = differences.map { $0.reduce(0, +) / p }
        let bySubject = (0..<subjects).map { index in differences.reduce(0) { $0 + $1[index] } / s }
        let mean = byReplicate.reduce(0, +) / s
        self.mean = mean
        func squares(_ means: [Double]) -> Double { means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } }
        let ofReplicates = replicates > 1 ? p * squares(byReplicate) / (s - 1) : 0
        let ofSubjects = subjects > 1 ? s * squares(bySubject) / (p - 1) : 0
        var ofRest = 0.0
        if replicates > 1, subjects > 1 {
            for (row, values) in zip(byReplicate, differences) {
                for (column, value) in zip(bySubject, values) {
                    let rest = value - row - column + mean
                    ofRest += rest * rest
                }
            }
            ofRest /= (s - 1) * (p - 1)
        }
        guard replicates > 1 || subjects > 1 else {
            interval = nil
            return
        }
        // Negative by chance, it would be an interval of nothing: the larger of the two squares alone bounds it then.
        let squares = max(ofReplicates + ofSubjects - ofRest, max(ofReplicates, ofSubjects))
        func term(_ square: Double, _ freedom: Double) -> Double { freedom > 0 ? square * square / freedom : 0 }
        let spread = term(ofReplicates, s - 1) + term(ofSubjects, p - 1) + term(ofRest, (s - 1) * (p - 1))
        guard squares > 0, spread > 0 else {
            interval = mean...mean
            return
        }
        let freedom = max(1, Int((squares * squares / spread).rounded(.down)))
        let half =
            StudentT.twoSidedQuantile(confidence: 0.95, degreesOfFreedom: freedom) * (squares / (s * p)).squareRoot()
        interval = (mean - half)...(mean + half)
    }
}

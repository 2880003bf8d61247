/// Mean, spread and confidence of a list of measurements, such as the SSIM of each image pair.
///
/// Encodes as `{"count", "mean", "std", "ci95": [low, high], "min", "q1", "median", "q3", "max"}`; `std` and `ci95` are
/// null for a single value, which has no spread to speak of.
public struct SampleStatistics: Sendable, Equatable {
    /// Number of values, at least 1.
    public let count: Int
    public let mean: Double
    /// Sample standard deviation (divisor n − 1); nil for one value.
    public let standardDeviation: Double?
    /// 95 % confidence interval of the mean by Student's t with n − 1 degrees of freedom; nil for one value.
    public let confidenceInterval95: ClosedRange<Double>?
    public let minimum: Double
    public let lowerQuartile: Double
    public let median: Double
    public let upperQuartile: Double
    public let maximum: Double

    /// - Throws: `StatisticsError.tooFewSamples` for an empty list, `.notFinite` for a NaN or an infinity,
    ///   `.tooLarge` where squares overflow.
    public init(_ values: [Double]) throws(StatisticsError) {
        guard !values.isEmpty else { throw .tooFewSamples(what: "a mean", got: 0, needed: 1) }
        for (index, value) in values.enumerated() where !value.isFinite {
            throw .notFinite(what: "the list of measurements", index: index)
        }
        let sorted = values.sorted()
        count = values.count
        minimum = sorted[0]
        maximum = sorted[sorted.count - 1]
        lowerQuartile = Self.quantile(0.25, ofSorted: sorted)
        median = Self.quantile(0.5, ofSorted: sorted)
        upperQuartile = Self.quantile(0.75, ofSorted: sorted)

        // Divided before summing, huge values cannot overflow; clamped, a mean of equal values is that value.
        let n = Double(values.count)
        let roughMean = values.reduce(0) { $0 + $1 / n }
        let correction = values.reduce(0) { $0 + ($1 - roughMean) / n }
        mean = min(max(roughMean + correction, minimum), maximum)

        guard values.count >= 2 else {
            standardDeviation = nil
            confidenceInterval95 = nil
            return
        }
        let centre = mean
        let variance = values.reduce(0) { $0 + ($1 - centre) * ($1 - centre) } / (n - 1)
        guard variance.isFinite else { throw .tooLarge(what: "the list of measurements") }
        let deviation = variance.squareRoot()
        standardDeviation = deviation
        let quantile = StudentT.twoSidedQuantile(confidence: 0.95, degreesOfFreedom: values.count - 1)
        let halfWidth = quantile * deviation / n.squareRoot()
        confidenceInterval95 = (mean - halfWidth)...(mean + halfWidth)
    }

    /// Linear interpolation between order statistics at (n − 1)·p, numpy's default.
    private static func quantile(_ p: Double, ofSorted sorted: [Double]) -> Double {
        let position = Double(sorted.count - 1) * p
        let below = Int(position)
        let above = min(below + 1, sorted.count - 1)
        return sorted[below] + (sorted[above] - sorted[below]) * (position - Double(below))
    }
}

extension SampleStatistics: Encodable {
    private enum CodingKeys: String, CodingKey {
        case count, mean, std, ci95, min, q1, median, q3, max
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(count, forKey: .count)
        try container.encode(mean, forKey: .mean)
        try container.encode(standardDeviation, forKey: .std)
        try container.encode(confidenceInterval95.map { [$0.lowerBound, $0.upperBound] }, forKey: .ci95)
        try container.encode(minimum, forKey: .min)
        try container.encode(lowerQuartile, forKey: .q1)
        try container.encode(median, forKey: .median)
        try container.encode(upperQuartile, forKey: .q3)
        try container.encode(maximum, forKey: .max)
    }
}

import Foundation
import Statistics

/// Peak signal-to-noise ratio of two 8-bit images on values / 255 (peak 1), in decibels.
///
/// Equal images have no error, so `value` is +∞ for them. JSON has no infinity, and one such pair would make every mean
/// infinite; so what is summarised and written is `capped(_:)`, at most `cap` decibels, always beside the number of
/// identical pairs. A mean over images is the mean of the images' own ratios, not the ratio of their mean error.
public enum PeakSignalToNoise {
    /// Decibels that stand for "no visible error" in summaries: 100 dB is an RMS error of 1/400 of one 8-bit level.
    public static let cap: Double = 100

    /// −10·log₁₀(MSE); +∞ for identical images, 0 for black against white.
    /// - Throws: `MetricError` when a shape is impossible or a byte count does not match it.
    public static func value(
        _ first: [UInt8], _ second: [UInt8], height: Int, width: Int, channels: Int
    ) throws(MetricError) -> Double {
        value(
            meanSquaredError: try MeanSquaredError.value(
                first, second, height: height, width: width, channels: channels))
    }

    /// The ratio that belongs to a mean squared error on the 0…1 scale.
    public static func value(meanSquaredError: Double) -> Double {
        meanSquaredError == 0 ? .infinity : -10 * log10(meanSquaredError)
    }

    /// The finite value that is averaged and written to files.
    public static func capped(_ decibels: Double) -> Double {
        min(decibels, cap)
    }

    /// Statistics over the capped ratios of many pairs, and how many of the pairs were identical.
    /// - Throws: `StatisticsError.tooFewSamples` when there is no pair, `.notFinite` when a ratio is NaN or −∞.
    public static func summary(of decibels: [Double]) throws(StatisticsError) -> (
        statistics: SampleStatistics, identicalPairs: Int
    ) {
        var identicalPairs = 0
        for ratio in decibels where ratio == .infinity {
            identicalPairs += 1
        }
        return (try SampleStatistics(decibels.map(capped), within: 0...cap), identicalPairs)
    }
}

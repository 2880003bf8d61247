/// What is wrong with a list of measurements.
public enum StatisticsError: Error, Equatable, CustomStringConvertible {
    /// Fewer samples than the statistic is defined for.
    case tooFewSamples(what: String, got: Int, needed: Int)
    /// A NaN or an infinity at this position of the input.
    case notFinite(what: String, index: Int)
    /// Finite values so large that a sum of their squares is not.
    case tooLarge(what: String)

    public var description: String {
        switch self {
        case .tooFewSamples(let what, let got, let needed):
            "\(what) needs at least \(needed) sample\(needed == 1 ? "" : "s"), got \(got)"
        case .notFinite(let what, let index): "\(what) holds a NaN or an infinity at index \(index)"
        case .tooLarge(let what): "\(what) holds values too large to square and add in double precision"
        }
    }
}

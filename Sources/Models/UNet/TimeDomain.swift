/// Numbers that can be embedded, as timesteps or as classes.
enum TimeDomain: CustomStringConvertible {
    case finite
    /// What has a logarithm and a reciprocal, for a Fourier embedding.
    case positive
    /// Rows of a table.
    case wholeNumbers(below: Int)

    func contains(_ number: Float) -> Bool {
        switch self {
        case .finite: number.isFinite
        case .positive: number.isFinite && number >= Float.leastNormalMagnitude
        case .wholeNumbers(let bound): number >= 0 && number < Float(bound) && number == number.rounded()
        }
    }

    var description: String {
        switch self {
        case .finite: "a finite number"
        case .positive: "a finite number above 0, as a Fourier time embedding takes its logarithm"
        case .wholeNumbers(let bound): "a whole number in 0..<\(bound)"
        }
    }
}

import Foundation

/// How much is to be left after each epoch of pruning: much leaves early, little at the end.
///
///     R(e) = Π_{j ≤ e} [ s + (0.999 − s)·σ((6/E)·(j − E/2)) ],   s in [0, 0.999] such that R(E) is the target
///
/// Where no such s is, since the epochs are very few or next to nothing is to leave, all epochs have the same factor:
/// R(e) = target^(e/E).
///
/// Based on: arXiv 2504.05349 with its released code, whose constants these are.
struct PressureTrajectory {
    /// R(0), R(1), … R(E), as fractions.
    private let fractions: [Double]
    /// s; nil where all epochs have the same factor.
    let slowest: Double?

    private static let fastest = 0.999

    /// - Parameters:
    ///   - epochs: E, at least 1.
    ///   - target: R(E), in (0, 1).
    init(epochs: Int, target: Double) {
        func fractions(_ slowest: Double) -> [Double] {
            (1...epochs).reduce(into: [1]) { all, epoch in
                let half = Double(epochs) / 2
                let sigmoid = 1 / (1 + exp(-6 / Double(epochs) * (Double(epoch) - half)))
                all.append(all[epoch - 1] * (slowest + (Self.fastest - slowest) * sigmoid))
            }
        }
        guard fractions(0)[epochs] < target, fractions(Self.fastest)[epochs] > target else {
            self.fractions = (0...epochs).map { pow(target, Double($0) / Double(epochs)) }
            slowest = nil
            return
        }
        var (low, high) = (0.0, Self.fastest)
        for _ in 0..<60 {
            let middle = 0.5 * (low + high)
            if fractions(middle)[epochs] < target { low = middle } else { high = middle }
        }
        self.fractions = fractions(high)
        slowest = high
    }

    /// R(epoch): what is to be left after an epoch.
    ///
    /// - Parameter epoch: 0…E.
    func remaining(after epoch: Int) -> Double { fractions[epoch] }
}

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

    /// Whether more is left than was wanted, some epochs ahead: what will be left then, if in each as large a share of
    /// it leaves as in the last one, is held against R there.
    ///
    /// - Parameters:
    ///   - remaining: what is left, 0…1.
    ///   - previous: what was left an epoch before; above 0.
    ///   - epoch: 0…E.
    ///   - lookahead: epochs, at least 0; cut where there are fewer.
    func isExceeded(by remaining: Double, previously previous: Double, after epoch: Int, lookahead: Int) -> Bool {
        let ahead = min(lookahead, fractions.count - 1 - epoch)
        return remaining * Self.power(min(remaining / previous, 1), ahead) > fractions[epoch + ahead]
    }

    /// base^exponent by repeated multiplication: the same bits everywhere.
    static func power(_ base: Double, _ exponent: Int) -> Double {
        (0..<exponent).reduce(1) { product, _ in product * base }
    }
}

import Files
import Pruning

/// Ratios that meet a budget at the least error, if what groups do alone adds up.
///
/// Every group begins whole. The step to a lower ratio that adds the least error for the cost that it frees is made
/// next, of any group to any of its lower ratios, until every limit holds (the greedy rule of the knapsack problem with
/// several choices a piece); the last group then keeps as many channels as fit. An error that falls as less is left
/// counts as it was before.
struct RatioSuggestion {
    /// What stays of each site, in (0, 1].
    let shares: [Double]
    /// The errors of the steps made, added up.
    let error: Double
    /// What the widths cost, as a fraction of the whole, by each limit.
    let remaining: [Double]

    /// - Parameters:
    ///   - curves: of each site the ratios below 1, the highest first, with the error of each.
    ///   - selection: of the space, with the budget.
    /// - Throws: `BudgetError.unreachable` where the lowest ratios cost more.
    init(_ curves: [[(ratio: Double, error: Double)]], within selection: Selection) throws {
        let widths = selection.space.widths
        let allowed = zip(selection.budget.limits, selection.fullCosts).map { $0.remaining * $1 * (1 + 1e-12) }
        let levels = zip(curves, widths).map { Self.levels($0, width: $1) }
        var chosen = widths.map { _ in 0 }
        var current = widths
        func costs(_ widths: [Int]) -> [Double] { selection.costs.map { $0.value(widths) } }
        func fits(_ widths: [Int]) -> Bool { zip(costs(widths), allowed).allSatisfy { $0 <= $1 } }
        var error = 0.0
        while !fits(current) {
            let before = costs(current)
            var best: (site: Int, level: Int, price: Double)?
            for site in levels.indices {
                for level in levels[site].indices where level > chosen[site] {
                    var narrower = current
                    narrower[site] = levels[site][level].width
                    let after = costs(narrower)
                    var freed = 0.0
                    // Of the limits that do not hold yet.
                    for limit in before.indices where before[limit] > allowed[limit] {
                        freed += (before[limit] - after[limit]) / selection.fullCosts[limit]
                    }
                    guard freed > 0 else { continue }
                    let price = (levels[site][level].error - levels[site][chosen[site]].error) / freed
                    if price < best?.price ?? .infinity { best = (site, level, price) }
                }
            }
            guard let step = best else {
                let index = before.indices.first { before[$0] > allowed[$0] } ?? 0
                throw selection.unreachable(index, minimum: before[index] / selection.fullCosts[index])
            }
            let (from, to) = (current[step.site], levels[step.site][step.level].width)
            error += levels[step.site][step.level].error - levels[step.site][chosen[step.site]].error
            chosen[step.site] = step.level
            current[step.site] = to
            guard fits(current) else { continue }
            // As much of the last as every limit leaves room for.
            for width in stride(from: from - 1, to: to, by: -1) {
                var wider = current
                wider[step.site] = width
                guard fits(wider) else { continue }
                current = wider
                break
            }
        }
        shares = zip(current, widths).map { Double($0) / Double($1) }
        self.error = error
        remaining = zip(costs(current), selection.fullCosts).map { $0 / $1 }
    }

    /// The widths that a site of `width` can have, itself the first, with their errors, which do not fall.
    private static func levels(
        _ curve: [(ratio: Double, error: Double)], width: Int
    ) -> [(width: Int, error: Double)] {
        var levels: [(width: Int, error: Double)] = [(width, 0)]
        var worst = 0.0
        for (ratio, error) in curve {
            worst = max(worst, error)
            let kept = Int((ratio * Double(width)).rounded())
            levels.append((min(width, max(1, kept)), worst))
        }
        return levels
    }
}

import Pruning
import Training

/// Clears what the optimiser remembers of weights that have come back, before their first step.
final class RegrowthReset: TrainingExtension {
    let name = "regrowth"
    private let space: PruningSpace
    /// Coordinates that came back in the last update and have not been stepped since.
    private var pending: [Int] = []

    init(_ space: PruningSpace) { self.space = space }

    func regrown(_ coordinates: [Int]) { pending = coordinates }

    func afterBackward(step: Int, optimizer: Optimizer) {
        guard !pending.isEmpty else { return }
        for (site, coordinates) in Dictionary(grouping: pending, by: space.site) {
            guard case .weight(let parameter, _) = space.sites[site] else { continue }
            let first = space.ranges[site].lowerBound
            optimizer.clearMoments(of: parameter, at: coordinates.map { $0 - first })
        }
        pending = []
    }

    // A Float holds whole numbers up to 2^24 exactly: coordinates go in two halves.
    private static let half = 4096

    var state: ExtensionState {
        guard !pending.isEmpty else { return ExtensionState() }
        return ExtensionState(arrays: [
            "high": pending.map { Float($0 / Self.half) }, "low": pending.map { Float($0 % Self.half) },
        ])
    }

    func restore(_ state: ExtensionState) throws {
        let (high, low) = (state.arrays["high"] ?? [], state.arrays["low"] ?? [])
        let halves = zip(high, low).compactMap { high, low -> (Int, Int)? in
            guard let high = Int(exactly: high), let low = Int(exactly: low) else { return nil }
            return (high, low)
        }
        let limit = 0...(space.count / Self.half)
        let coordinates = halves.filter { limit.contains($0.0) && (0..<Self.half).contains($0.1) }
            .map { $0.0 * Self.half + $0.1 }
        guard high.count == low.count, coordinates.count == high.count, coordinates.allSatisfy({ $0 < space.count })
        else { throw PrunerStateError(method: RigL.card.name, reason: "its regrown weights are damaged") }
        pending = coordinates
    }
}

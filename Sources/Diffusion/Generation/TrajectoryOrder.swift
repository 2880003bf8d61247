import TensorCore

/// The order in which the points of trajectories are learned from.
///
/// Every point comes once a pass, and any `steps` points from a multiple of that on are of `steps` different timesteps
/// and of chains drawn for each: a batch covers the whole schedule and many pictures.
struct TrajectoryOrder {
    /// Trajectories, from 0.
    let chains: Int
    /// Points of each, in the order of sampling.
    let steps: Int
    let seed: UInt64

    private var pass = -1
    /// The chains in their order, for each step, of the last pass asked for.
    private var orders: [[Int]] = []

    init(chains: Int, steps: Int, seed: UInt64) {
        (self.chains, self.steps, self.seed) = (chains, steps, seed)
    }

    /// The points at `positions`, which go on through pass after pass.
    mutating func points(_ positions: Range<Int>) -> [(chain: Int, step: Int)] {
        var points: [(chain: Int, step: Int)] = []
        var (round, timesteps) = (-1, [Int]())
        for position in positions {
            if position / steps != round {
                round = position / steps
                timesteps = permutation(steps, .chainTimesteps, round)
            }
            shuffle(for: round / chains)
            let step = timesteps[position % steps]
            points.append((orders[step][round % chains], step))
        }
        return points
    }

    private mutating func shuffle(for pass: Int) {
        guard pass != self.pass else { return }
        self.pass = pass
        orders = (0..<steps).map { permutation(chains, .chainOrder, pass * steps + $0) }
    }

    private func permutation(_ count: Int, _ purpose: RandomPurpose, _ index: Int) -> [Int] {
        var stream = RandomStream(seed: seed, purpose: purpose, index: UInt64(index))
        return stream.permutation(count: count)
    }
}

import Imagery
import Models
import TensorCore

/// A model's ways from noise to images: the points (x_t, t) that it went through and its predictions there.
struct Trajectories {
    /// x_t, `[steps·chains, H, W, C]`: the first points of all chains, then the second.
    let noisy: Tensor
    /// Of the same shape.
    let predictions: Tensor
    /// Of each point, in the same order.
    let timesteps: [Int]
    /// The class of each chain; nil for an unconditional model.
    let classes: [Float]?
    let chains: Int
    var steps: Int { timesteps.count / chains }

    /// - Parameter points: which, each at its step of a chain.
    func batch(_ points: [(chain: Int, step: Int)]) -> DenoisingBatch {
        let rows = points.map { $0.step * chains + $0.chain }
        return DenoisingBatch(
            .predicted(noisy: Self.rows(rows, of: noisy), prediction: Self.rows(rows, of: predictions)),
            timesteps: rows.map { timesteps[$0] },
            classLabels: classes.map { classes in .numbers(points.map { classes[$0.chain] }) })
    }

    private static func rows(_ rows: [Int], of tensor: Tensor) -> Tensor {
        let result = Tensor(uninitialized: [rows.count] + tensor.shape.dropFirst())
        for (slot, row) in rows.enumerated() { result.rows(slot..<slot + 1).assign(tensor.rows(row..<row + 1)) }
        return result
    }
}

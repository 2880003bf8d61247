/// What `bench` can time.
public enum BenchmarkWork: String, Sendable, Codable, CaseIterable {
    /// One noise prediction of a batch, nothing kept for a backward pass.
    case forward
    /// Drawing a batch of images with DDIM, every step of it.
    case sampling
    /// One step of the trainer on a batch that is always the same: noising, forward, mean squared error, backward,
    /// clipping of the gradient norm, fused Adam; no moving average.
    case training
    /// One exact Hessian–vector product of the training loss, its gradient included.
    case hvp

    /// For the reader of a table.
    var title: String {
        switch self {
        case .forward: "forward"
        case .sampling: "sampling"
        case .training: "training step"
        case .hvp: "Hessian–vector product"
        }
    }
}

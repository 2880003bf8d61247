public enum TrainingError: Error, CustomStringConvertible {
    case notFinite(step: Int, loss: Float)
    /// Gradient checkpointing of a network that has no blocks to do it with.
    case noGradientCheckpointing(network: String)

    public var description: String {
        switch self {
        case .notFinite(let step, let loss):
            "the loss is \(loss) at step \(step): the learning rate is too high, or the weights or data are broken"
        case .noGradientCheckpointing(let network):
            "'gradient_checkpointing' is true, expected false: \(network) has no blocks to compute again"
        }
    }
}

import Layers
import TensorCore

/// A network that tells classes apart.
public protocol Classifier: ChannelNetwork {
    /// Images `[B, H, W, C]` in [−1, 1] → `[B, classes]`.
    func logits(of images: Variable) -> Variable
}

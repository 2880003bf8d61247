import Layers
import TensorCore

/// A network that tells classes apart.
public protocol Classifier: ChannelNetwork {
    /// Number of classes.
    var classCount: Int { get }

    /// Images `[B, H, W, C]` in [−1, 1] → `[B, classCount]`.
    func logits(of images: Variable) -> Variable
}

extension Tensor {
    /// Of logits `[B, classes]` the number of the largest of each row, the first of equal ones.
    package var likeliestClasses: [Int] {
        let classes = shape.last ?? 1
        return (0..<(shape.first ?? 0)).map { row in
            (1..<classes).reduce(0) { best, k in
                pointer[row * classes + k] > pointer[row * classes + best] ? k : best
            }
        }
    }
}

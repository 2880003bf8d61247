import Layers
import TensorCore

extension UNet: OnesResponding {
    /// Of an image of `size`; the numbers of its timestep and class do not matter, both are embedded as ones.
    public func responseToOnes() -> Variable {
        let ones = Tensor(ones: [1, size[0], size[1], configuration.inChannels])
        return self(Variable(ones), timesteps: [1], classLabels: classEmbedding.anyLabel)
    }
}

extension ClassEmbedder {
    /// A label of one image; vectors are ones.
    fileprivate var anyLabel: ClassLabels? {
        switch kind {
        case .none: nil
        case .table, .timestep: .numbers([0])
        case .identity: .vectors(Tensor(ones: [1, axis.originalWidth]))
        }
    }
}

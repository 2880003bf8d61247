import CKernels
import Synchronization

/// Convolution weights as the kernels want them, kept from one prediction to the next.
///
/// Laying weights out, and transforming them where Winograd's method applies, costs about a twentieth of a prediction for
/// 16 images and more for fewer. What is kept is up to four times the size of the weights.
///
/// Whoever holds one promises that the weights of the predictions made with it do not change meanwhile.
public final class PreparedWeights: @unchecked Sendable {
    @TaskLocal static var current: PreparedWeights?

    private struct Key: Hashable {
        let weight: ObjectIdentifier
        let outHeight: Int, outWidth: Int, stride: Int
    }
    /// Variables are kept alive, so that no other one can take on their identity.
    private struct Entry {
        let weight: Variable
        let packed: Tensor
    }
    private let lock = Mutex<Void>(())
    private var entries: [Key: Entry] = [:]

    public init() {}

    /// Convolutions in `body` that record nothing use and keep what is prepared.
    public func using<Result>(_ body: () throws -> Result) rethrows -> Result {
        try Self.$current.withValue(self, operation: body)
    }

    /// Bytes that are kept.
    public var bytes: Int {
        lock.withLock { _ in entries.values.reduce(0) { $0 + $1.packed.count } } * MemoryLayout<Float>.size
    }

    func packed(_ weight: Variable, for shape: dk_conv_shape) -> Tensor {
        let key = Key(
            weight: ObjectIdentifier(weight), outHeight: shape.out_height, outWidth: shape.out_width,
            stride: shape.stride)
        return lock.withLock { _ in
            if let entry = entries[key] { return entry.packed }
            let packed = withUnsafePointer(to: shape) { shape in
                let packed = Tensor(uninitialized: [dk_conv_packed_size(shape)])
                dk_conv_pack(shape, weight.value.pointer, packed.pointer)
                return packed
            }
            entries[key] = Entry(weight: weight, packed: packed)
            return packed
        }
    }
}

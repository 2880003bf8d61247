import CKernels
import Foundation
import Synchronization

/// Weights of convolutions and linear layers as the kernels want them, kept from one prediction to the next.
///
/// Laying weights out, and transforming them where Winograd's method applies, costs about a twentieth of a prediction
/// for 16 images and more for fewer. What is kept is up to four times the size of the weights.
///
/// What is kept is found by the identity of the weight's variable. A layer whose weight is *derived* from a stored one,
/// by a mask or another reparameterisation, asks for it by `effective`,
/// so that each prediction meets the same variable.
///
/// Whoever holds one promises that the weights of the predictions made with it do not change meanwhile, nor what
/// effective weights are derived from.
public final class PreparedWeights: @unchecked Sendable {
    @TaskLocal static var current: PreparedWeights?

    private struct Key: Hashable {
        let weight: ObjectIdentifier
        let offset: Int
        let outHeight: Int, outWidth: Int, stride: Int
    }
    /// Variables are kept alive, so that no other one can take on their identity.
    private struct Entry {
        let weight: Variable
        let packed: Tensor
    }
    /// Linear layers that read the same input, side by side. Nothing in it changes.
    struct JoinedLayers: @unchecked Sendable {
        fileprivate let weights: [Variable]
        /// Packed for `dk_gemm`.
        let packed: Tensor
        let bias: Tensor?
        let columns: Int
    }
    private struct JoinedKey: Hashable {
        let first: ObjectIdentifier
        let count: Int
    }
    private struct EffectiveWeight {
        let base: Variable
        let value: Variable
    }
    /// Held while a weight is derived, which may take others that are derived themselves.
    private let derivation = NSRecursiveLock()
    private var effectiveWeights: [ObjectIdentifier: EffectiveWeight] = [:]
    private let lock = Mutex<Void>(())
    private var entries: [Key: Entry] = [:]
    private var joinedEntries: [JoinedKey: JoinedLayers] = [:]

    public init() {}

    /// Whether operations use what is prepared: inside `using`, while nothing is recorded and weights are themselves.
    public static var isInUse: Bool { current != nil && !Autograd.isRecording && !SynapticPass.isOn }

    /// Operations in `body` that record nothing use and keep what is prepared.
    public func using<Result>(_ body: () throws -> Result) rethrows -> Result {
        try Self.$current.withValue(self, operation: body)
    }

    /// Bytes that are kept.
    public var bytes: Int {
        let effective = derivation.withLock {
            effectiveWeights.values.reduce(0) { $0 + ($1.value === $1.base ? 0 : $1.value.value.count) }
        }
        let packed = lock.withLock { _ in
            entries.values.reduce(0) { $0 + $1.packed.count } + joinedEntries.values.reduce(0) { $0 + $1.packed.count }
        }
        return (effective + packed) * MemoryLayout<Float>.size
    }

    /// The weight that is computed with in the place of the stored one, `base`. Where prepared weights are in use,
    /// `make` runs at the first call for this `base` and its result is kept; everywhere else it runs at each call, so
    /// that what it does is recorded.
    ///
    /// - Parameters:
    ///   - base: the stored weight.
    ///   - make: derives the one effective weight of `base`.
    public static func effective(_ base: Variable, _ make: () throws -> Variable) rethrows -> Variable {
        guard isInUse, let current else { return try make() }
        return try current.derivation.withLock {
            let key = ObjectIdentifier(base)
            if let known = current.effectiveWeights[key] { return known.value }
            let value = try make()
            current.effectiveWeights[key] = EffectiveWeight(base: base, value: value)
            return value
        }
    }

    /// Those of a convolution of `shape`, from float `offset` of `weight` on.
    func packed(_ weight: Variable, offset: Int, for shape: dk_conv_shape) -> Tensor {
        let key = Key(
            weight: ObjectIdentifier(weight), offset: offset, outHeight: shape.out_height,
            outWidth: shape.out_width, stride: shape.stride)
        return lock.withLock { _ in
            if let entry = entries[key] { return entry.packed }
            let packed = withUnsafePointer(to: shape) { shape in
                let packed = Tensor(uninitialized: [dk_conv_packed_size(shape)])
                dk_conv_pack(shape, weight.value.pointer + offset, packed.pointer)
                return packed
            }
            entries[key] = Entry(weight: weight, packed: packed)
            return packed
        }
    }

    /// - Parameter layers: weights `[in, out]` of one `in`; with biases `[out]` all of them or none.
    func joined(_ layers: [(weight: Variable, bias: Variable?)]) -> JoinedLayers {
        let key = JoinedKey(first: ObjectIdentifier(layers[0].weight), count: layers.count)
        return lock.withLock { _ in
            if let known = joinedEntries[key] {
                precondition(zip(known.weights, layers).allSatisfy { $0 === $1.weight }, "layers joined anew differ")
                return known
            }
            let joined = Self.join(layers)
            joinedEntries[key] = joined
            return joined
        }
    }

    private static func join(_ layers: [(weight: Variable, bias: Variable?)]) -> JoinedLayers {
        let biases = layers.compactMap(\.bias)
        precondition(biases.isEmpty || biases.count == layers.count, "some of the joined layers have no bias")
        let weights = layers.map(\.weight)
        let (inner, columns) = (weights[0].shape[0], weights.reduce(0) { $0 + $1.shape[1] })
        let matrix = Variable.concatenated(weights.map(\.detached)).value
        let packed = Tensor(uninitialized: [dk_gemm_packed_size(inner, columns)])
        dk_gemm_pack(inner, columns, matrix.pointer, columns, packed.pointer)
        return JoinedLayers(
            weights: weights, packed: packed,
            bias: biases.isEmpty ? nil : Variable.concatenated(biases.map(\.detached)).value, columns: columns)
    }
}

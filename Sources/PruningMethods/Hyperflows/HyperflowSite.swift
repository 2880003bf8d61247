import Layers
import Pruning
import TensorCore
import Training

/// The masks of one site, and the t that they follow.
///
///     m = [t ≥ 0]   forward,   ∂L/∂t = 0.25·∂L/∂m   backward (straight-through)
final class HyperflowSite: Gating, Reparameterization {
    /// U(0.2, 0.5) before training.
    let t: Parameter
    /// Of the present step: 0 or 1.
    private(set) var mask: Tensor
    /// How many coordinates are on whatever their t: the highest, where fewer t are at least 0.
    private let minimum: Int

    /// What a gradient of the mask counts in that of t.
    static let slope: Float = 0.25

    /// - Parameters:
    ///   - name: of the site.
    ///   - shape: of its coordinates.
    ///   - minimum: how many of them are on whatever their t.
    ///   - stream: that t is drawn from.
    init(_ name: String, shape: [Int], minimum: Int, stream: RandomStream) {
        t = Parameter("t.\(name)", shape: shape, filledWith: 0)
        self.minimum = minimum
        var stream = stream
        let values = t.variable.value.unsafeBuffer
        for index in values.indices { values[index] = Float(0.2 + 0.3 * stream.uniform()) }
        mask = Tensor(ones: shape)
    }

    /// Made anew from t at every call, so that gradients find it inside of checkpointed blocks too.
    var gate: Variable { t.variable.straightThrough(value: mask, factor: Self.slope) }

    func materialize(_ base: Variable) -> Variable { base.multiplied(by: gate) }

    /// Makes the mask from the present t.
    func decide() {
        let decided = Tensor(uninitialized: t.variable.shape)
        let (values, target) = (t.variable.value.unsafeBuffer, decided.unsafeBuffer)
        var live = 0
        for index in values.indices {
            let isOn = values[index] >= 0
            target[index] = isOn ? 1 : 0
            live += isOn ? 1 : 0
        }
        if live < min(minimum, values.count) {
            for index in values.indices.sorted(by: { (-values[$0], $0) < (-values[$1], $1) }).prefix(minimum) {
                target[index] = 1
            }
        }
        mask = decided
    }

    /// Takes what the mask has away back to what it was.
    ///
    /// - Parameters:
    ///   - place: the site.
    ///   - before: the weights as they were, laid out as `arena`.
    ///   - arena: whose weights were updated.
    func restorePruned(at place: PruningSpace.Site, from before: Tensor, in arena: ParameterArena) {
        let mask = mask.unsafeBuffer
        switch place {
        case .weight(_, let index):
            let (now, former) = (arena.slice(arena.values, index), arena.slice(before, index))
            let (target, source) = (now.unsafeBuffer, former.unsafeBuffer)
            for element in mask.indices where mask[element] == 0 { target[element] = source[element] }
        case .axis(let group):
            for channel in mask.indices where mask[channel] == 0 {
                group.copyWeights(of: channel, from: before, to: arena.values, in: arena)
            }
        }
    }
}

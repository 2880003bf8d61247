import Layers
import Pruning
import TensorCore
import Training

/// Hard-concrete gates on every prunable axis, learned beside the weights.
final class HardConcreteGates: TrainingExtension {
    let name = "hard-concrete"
    let parameterGroups: [ParameterGroup]
    private let gates: [Gate]
    /// What each channel of an axis costs, all together 1.
    private let costs: [Float]
    private let penalty: Float
    private let seed: UInt64

    /// One axis's gates: ln α, and the noise of the present step.
    final class Gate: Gating {
        let axis: ChannelGroup
        let logits: Parameter
        fileprivate var uniform: [Float] = []

        init(_ axis: ChannelGroup, initial: Float) {
            self.axis = axis
            logits = Parameter(
                "gates.\(axis.name)", layout: .plain, axes: [nil], shape: [axis.width], initialization: .zeros)
            logits.variable.value.fill(initial)
        }

        /// Made anew from the logits at every call, so that gradients find them inside of checkpointed blocks too.
        var gate: Variable {
            uniform.isEmpty
                ? HardConcrete.expectedGate(logits.variable) : HardConcrete.gate(logits.variable, uniform: uniform)
        }
    }

    /// - Parameters:
    ///   - initial: ln α before training.
    ///   - penalty: the weight of the expected cost in the loss.
    init(
        in context: PruningContext, initial: Double, penalty: Double, learningRate: Double, seed: UInt64
    ) {
        gates = context.space.groups.map { Gate($0.axis, initial: Float(initial)) }
        let marginal = context.selection.marginalDensities(of: Masks(context.space))
        let total = zip(marginal, context.space.widths).reduce(0) { $0 + $1.0 * Double($1.1) }
        costs = marginal.map { Float($0 / max(total, .leastNormalMagnitude)) }
        self.penalty = Float(penalty)
        self.seed = seed
        parameterGroups = [
            ParameterGroup("logits", parameters: gates.map(\.logits), learningRate: learningRate)
        ]
        for gate in gates { gate.axis.gating = gate }
    }

    func prepare(step: Int) {
        for (index, gate) in gates.enumerated() {
            var stream = RandomStream(
                seed: seed, purpose: .mask, index: UInt64(step) * UInt64(gates.count) + UInt64(index))
            gate.uniform = (0..<gate.axis.width).map { _ in
                Float(min(max(stream.uniform(), 1e-6), 1 - 1e-6))
            }
        }
    }

    /// λ·Σ_k p_k·P(z_k ≠ 0): the expected cost of what is open, relative to the whole.
    func regularizer(step: Int) -> Variable? {
        let terms = zip(gates, costs).map { gate, cost in
            HardConcrete.openProbability(gate.logits.variable).summed(over: .all).scaled(by: penalty * cost)
        }
        return terms.dropFirst().reduce(terms.first) { sum, term in sum.map { $0 + term } }
    }

    /// ln α of every channel.
    var logits: [[Double]] { gates.map { $0.logits.variable.value.array.map(Double.init) } }

    /// Takes the gates off the network.
    func detach() {
        for gate in gates where gate.axis.gating === gate { gate.axis.gating = nil }
    }
}

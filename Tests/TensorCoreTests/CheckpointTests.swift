import TensorCore
import Testing

/// What is derived from parameters, beside gradient checkpointing.
@Suite struct CheckpointTests {
    /// y = (x·w)·gate twice, with gate = σ(a) and effective weights w = base·σ(b).
    private struct Net {
        let x = Variable(Tensor([0.5, -1, 2, 0.25, 1, -0.5], shape: [2, 3]), requiresGradient: true)
        let base = Variable(Tensor((0..<9).map { Float($0) / 4 - 1 }, shape: [3, 3]), requiresGradient: true)
        let a = Variable(Tensor([0.3, -0.7, 1.1], shape: [3]), requiresGradient: true, tangent: Tensor(ones: [3]))
        let b = Variable(Tensor(scalar: 0.4), requiresGradient: true)
        var parameters: [Variable] { [x, base, a, b] }

        var gate: Variable { a.applying(.sigmoid) }
        var weight: Variable { base.scaled(by: b.applying(.sigmoid)) }

        func layer(_ x: Variable, _ weight: Variable, _ gate: Variable) -> Variable {
            x.linear(weight).gated(by: gate).activated(.silu)
        }

        /// The gradients of all parameters and their tangents.
        func gradients(_ output: Variable) -> [[Float]] {
            output.meanSquaredError(to: Tensor(ones: output.shape)).backward()
            return parameters.flatMap { [$0.gradient?.array ?? [], $0.gradientTangent?.array ?? []] }
        }
    }

    private func recorded() -> [[Float]] {
        let net = Net()
        return net.gradients(net.layer(net.layer(net.x, net.weight, net.gate), net.weight, net.gate))
    }

    @Test func whatIsDerivedInsideTheBodyGetsItsGradients() {
        let net = Net()
        let hidden = Variable.checkpointed([net.x]) { _ in net.layer(net.x, net.weight, net.gate) }
        let output = Variable.checkpointed([hidden]) { _ in net.layer(hidden, net.weight, net.gate) }
        #expect(net.gradients(output) == recorded())
    }

    @Test func whatIsDerivedOutsideAndListedGetsItsGradients() {
        let net = Net()
        let (weight, gate) = (net.weight, net.gate)
        let hidden = Variable.checkpointed([net.x, weight, gate]) { _ in net.layer(net.x, weight, gate) }
        let output = Variable.checkpointed([hidden, weight, gate]) { _ in net.layer(hidden, weight, gate) }
        let kept = Net()
        let (keptWeight, keptGate) = (kept.weight, kept.gate)
        let expected = kept.gradients(
            kept.layer(kept.layer(kept.x, keptWeight, keptGate), keptWeight, keptGate))
        #expect(net.gradients(output) == expected)
    }

    @Test func aCheckpointInsideAnotherGetsItsGradients() {
        let net = Net()
        let output = Variable.checkpointed([net.x]) { _ in
            let (weight, gate) = (net.weight, net.gate)
            let hidden = Variable.checkpointed([net.x, weight]) { _ in net.layer(net.x, weight, net.gate) }
            return net.layer(hidden, weight, gate)
        }
        let kept = Net()
        let (weight, gate) = (kept.weight, kept.gate)
        let expected = kept.gradients(kept.layer(kept.layer(kept.x, weight, kept.gate), weight, gate))
        #expect(net.gradients(output) == expected)
    }

    #if compiler(>=6.2)
        @Test func whatIsDerivedOutsideAndNotListedStopsTheProgram() async {
            await #expect(processExitsWith: .failure) {
                let a = Variable(Tensor([0.3], shape: [1]), requiresGradient: true)
                let x = Variable(Tensor([2], shape: [1, 1]), requiresGradient: true)
                let gate = a.applying(.sigmoid)
                let output = Variable.checkpointed([x]) { _ in x.gated(by: gate) }
                // Without the check this returns, and the gradient of `a` is nil.
                output.summed(over: .all).backward()
            }
        }
    #endif
}

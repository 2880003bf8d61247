import TensorCore
import Testing

/// Losses of values and derivatives, in one pass with whatever else is in a loss.
@Suite struct SeparationTests {
    /// f = w·x², so ḟ = 2·w·x·ẋ.
    private struct Parabola {
        let w = Variable(Tensor([2, -0.5], shape: [2]), requiresGradient: true)
        let x = Variable(Tensor([0.75, 3], shape: [2]), requiresGradient: true, tangent: Tensor([1, -2], shape: [2]))

        var output: Variable { w.multiplied(by: x.multiplied(by: x)) }
    }

    @Test func bothPartsAreWhatTheyAre() {
        let (value, derivative) = Parabola().output.separated()
        #expect(value.value.array == [1.125, -4.5] && derivative.value.array == [3, 6])
        #expect(value.tangent == nil && derivative.tangent == nil)
    }

    @Test func gradientsAreThoseOfTheWholeLoss() {
        let parabola = Parabola()
        let (value, derivative) = parabola.output.separated()
        // L = Σ f + Σ ḟ², and beside it a term of w alone
        let loss = value.summed(over: .all) + derivative.multiplied(by: derivative).summed(over: .all)
        (loss + parabola.w.scaled(by: 10).summed(over: .all)).backward()
        // ∂L/∂w = x² + 2·ḟ·2·x·ẋ + 10 and ∂L/∂x = 2·w·x + 2·ḟ·2·w·ẋ
        #expect(parabola.w.gradient?.array == [19.5625, -125])
        #expect(parabola.x.gradient?.array == [27, 21])
        #expect(parabola.w.gradientTangent == nil && parabola.x.gradientTangent == nil)
    }

    @Test func gradientsAddUpOverPasses() {
        let parabola = Parabola()
        parabola.w.summed(over: .all).backward()
        parabola.output.separated().derivative.summed(over: .all).backward()
        parabola.w.summed(over: .all).backward()
        // 2·x·ẋ + 2
        #expect(parabola.w.gradient?.array == [3.5, -10])
    }

    @Test func withoutATangentTheDerivativeIsZero() {
        let w = Variable(Tensor([2, -0.5], shape: [2]), requiresGradient: true)
        let (value, derivative) = w.scaled(by: 3).separated()
        #expect(value.value.array == [6, -1.5] && derivative.value.array == [0, 0])
        (value.summed(over: .all) + derivative.summed(over: .all)).backward()
        #expect(w.gradient?.array == [3, 3])
    }

    /// The body is run again with its tangents, and reaches leaves and what was derived before it.
    @Test func gradientsGoThroughCheckpoints() {
        func gradients(checkpointed: Bool) -> [[Float]] {
            let w = Variable(Tensor([2, -0.5, 1, 0.25], shape: [2, 2]), requiresGradient: true)
            let a = Variable(Tensor([0.3, -0.7], shape: [2]), requiresGradient: true)
            let x = Variable(Tensor([0.75, 3], shape: [1, 2]), tangent: Tensor([1, -2], shape: [1, 2]))
            let gate = a.applying(.sigmoid)
            let body = { (_: Bool) in x.linear(w).activated(.silu).gated(by: gate) }
            let hidden = checkpointed ? Variable.checkpointed([x, gate], body) : body(false)
            let (value, derivative) = hidden.linear(w).separated()
            let loss =
                value.meanSquaredError(to: Tensor(ones: [1, 2]))
                + derivative.multiplied(by: derivative).summed(over: .all)
            (loss + gate.summed(over: .all)).backward()
            return [w, a].map { $0.gradient?.array ?? [] }
        }
        let kept = gradients(checkpointed: false)
        #expect(kept.allSatisfy { !$0.isEmpty } && gradients(checkpointed: true) == kept)
    }
}

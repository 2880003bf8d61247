import TensorCore
import Testing

@Suite struct MemoryTests {
    /// A buffer that nobody is to keep alive.
    private struct Weak {
        weak var buffer: Buffer?
    }

    /// silu(silu(x)), and the intermediate result's memory.
    private func twice(_ x: Variable) -> (output: Variable, intermediate: Weak) {
        let hidden = x.activated(.silu)
        return (hidden.activated(.silu), Weak(buffer: hidden.value.buffer))
    }

    @Test func withoutRecordingIntermediatesAreFreedAtOnce() {
        let x = Variable(Tensor(ones: [4, 8]), requiresGradient: true)
        let (output, intermediate) = Autograd.withoutRecording { twice(x) }
        #expect(intermediate.buffer == nil)
        #expect(!output.requiresGradient)
    }

    @Test func constantsAreNotRecorded() {
        let (_, intermediate) = twice(Variable(Tensor(ones: [4, 8])))
        #expect(intermediate.buffer == nil)
    }

    /// silu(a·x), whose backward pass needs a·x.
    private func activatedSum(_ x: Variable) -> (output: Variable, intermediate: Weak) {
        let hidden = x + x
        return (hidden.activated(.silu), Weak(buffer: hidden.value.buffer))
    }

    @Test func whatTheBackwardPassNeedsLivesUntilThen() {
        let x = Variable(Tensor(ones: [4, 8]), requiresGradient: true)
        func made() -> (loss: Variable, intermediate: Weak) {
            let (output, intermediate) = activatedSum(x)
            return (output.meanSquaredError(to: Tensor(zeros: [4, 8])), intermediate)
        }
        let (loss, intermediate) = made()
        #expect(intermediate.buffer != nil)
        loss.backward()
        #expect(intermediate.buffer == nil)
        #expect(x.gradient != nil)
    }

    @Test func whatIsCheapToComputeAgainIsFreedAtOnce() {
        let x = Variable(Tensor(ones: [4, 8]), requiresGradient: true)
        let (output, intermediate) = twice(x)
        #expect(output.requiresGradient && intermediate.buffer == nil)
    }

    @Test func whatIsOnlyAddedToSomethingIsFreedAtOnce() {
        let x = Variable(Tensor(ones: [4, 8]), requiresGradient: true)
        func sum() -> (output: Variable, term: Weak) {
            let term = x.linear(Variable(Tensor(ones: [8, 8])))
            return (term + x, Weak(buffer: term.value.buffer))
        }
        let (output, term) = sum()
        #expect(output.requiresGradient && term.buffer == nil)
    }

    @Test func queriesKeysAndValuesAreComputedAgainAndFreedAtOnce() {
        let x = Variable(Tensor(ones: [2, 3, 4]), requiresGradient: true)
        let weights = (0..<3).map { _ in Variable(Tensor(ones: [4, 4]), requiresGradient: true) }
        func attended() -> (output: Variable, inputs: [Weak]) {
            let inputs = weights.map { x.linear($0) }
            let output = inputs[0].attention(
                keys: inputs[1], values: inputs[2], heads: AttentionHeads(widths: [4], scale: 0.5))
            return (output, inputs.map { Weak(buffer: $0.value.buffer) })
        }
        let (output, inputs) = attended()
        #expect(inputs.allSatisfy { $0.buffer == nil })
        output.meanSquaredError(to: Tensor(zeros: [2, 3, 4])).backward()
        #expect(weights[2].gradient?.array.contains { $0 != 0 } == true)
    }

    /// A product's result that anything else reads is kept: computing it again would cost too much.
    @Test func aProductIsNotComputedAgainForAnActivation() {
        let x = Variable(Tensor(ones: [4, 8]), requiresGradient: true)
        func activated() -> (output: Variable, product: Weak) {
            let product = x.linear(Variable(Tensor(ones: [8, 8])))
            return (product.activated(.silu), Weak(buffer: product.value.buffer))
        }
        let (output, product) = activated()
        #expect(output.requiresGradient && product.buffer != nil)
    }

    @Test func nothingInsideACheckpointIsKept() {
        let x = Variable(Tensor(ones: [4, 8]), requiresGradient: true)
        let weight = Variable(Tensor(ones: [8, 8]), requiresGradient: true)
        var inside: [Weak] = []
        let output = Variable.checkpointed([x]) { _ in
            let hidden = x.linear(weight)
            inside.append(Weak(buffer: hidden.value.buffer))
            return hidden.activated(.silu)
        }
        #expect(inside.count == 1 && inside[0].buffer == nil)
        output.meanSquaredError(to: Tensor(zeros: [4, 8])).backward()
        #expect(inside.count == 2 && inside[1].buffer == nil && weight.gradient != nil)
    }

    @Test func aGradientIsWrittenWhereTheArenaWantsIt() {
        let x = Variable(Tensor([1, 2], shape: [2]), requiresGradient: true)
        let (values, gradients) = (Tensor(zeros: [2]), Tensor(zeros: [2]))
        x.relocate(to: values, gradient: gradients)
        #expect(values.array == [1, 2])
        for _ in 0..<2 {
            x.clearGradients()
            x.meanSquaredError(to: Tensor(zeros: [2])).backward()
            // ∂/∂x mean x² = x: overwritten by each pass, not added to the last one's
            #expect(gradients.array == [1, 2])
        }
    }

    @Test func buffersAreHardlyLargerThanAskedFor() {
        for count in [1, 16, 17, 100, 1000, 1025, 4097, 1_000_003] {
            let buffer = BufferPool.shared.buffer(count: count)
            #expect(buffer.capacity >= count && buffer.capacity < count + (count > 4096 ? 16 : 64))
            #expect(UInt(bitPattern: buffer.pointer) % 64 == 0)
        }
    }

    @Test func aWindowKeepsItsOwnerAlive() {
        weak var owner: Buffer?
        var window: Tensor? = {
            let whole = Tensor([1, 2, 3, 4, 5, 6], shape: [3, 2])
            owner = whole.buffer
            return whole.rows(1..<3)
        }()
        #expect(owner != nil)
        #expect(window?.array == [3, 4, 5, 6])
        window = nil
        #expect(owner == nil)
    }
}

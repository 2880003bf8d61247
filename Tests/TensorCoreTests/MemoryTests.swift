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

    @Test func recordedIntermediatesLiveUntilTheBackwardPass() {
        let x = Variable(Tensor(ones: [4, 8]), requiresGradient: true)
        let (output, intermediate) = twice(x)
        #expect(intermediate.buffer != nil)
        let loss = output.meanSquaredError(to: Tensor(zeros: [4, 8]))
        loss.backward()
        #expect(intermediate.buffer == nil)
        #expect(x.gradient != nil)
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

    @Test func sizeClassesWasteAtMostAQuarterAndAreReused() {
        for count in [1, 16, 17, 100, 1000, 1025, 1_000_000] {
            let capacity = BufferPool.shared.buffer(count: count).capacity
            #expect(capacity >= count && capacity <= max(16, count + count / 4 + 16))
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

import Layers
import TensorCore
import Testing

@Suite struct OperationObserverTests {
    private final class Recorder: OperationObserver {
        struct Event {
            let operation: LayerOperation
            let inputs: [Variable], parameters: [Parameter]
            let output: Variable
        }
        var events: [Event] = []

        func ran(_ operation: LayerOperation, inputs: [Variable], parameters: [Parameter], output: Variable) {
            events.append(Event(operation: operation, inputs: inputs, parameters: parameters, output: output))
        }
    }

    private let parts = [
        Variable(Tensor([1, 2], shape: [1, 1, 1, 2])), Variable(Tensor([3], shape: [1, 1, 1, 1])),
    ]

    private func layers() throws -> (Conv2d, Linear) {
        let builder = ChannelAxisBuilder()
        let (a, b) = (try builder.axis("a", width: 2), try builder.axis("b", width: 1))
        let inner = try builder.axis("inner", width: 2)
        inner.groups[0].gating = LeafGate(Variable(Tensor([0.5, 1], shape: [2])))
        let conv = Conv2d("conv", from: a + b, to: inner, kernel: 1, padding: .none)
        conv.weight.load(fileValues: [1, 0, 0, 0, 1, 1])
        conv.bias.load(fileValues: [1, 0])
        let linear = Linear("linear", from: inner, to: .fixed("out", width: 1))
        linear.weight.load(fileValues: [1, 10])
        return (conv, linear)
    }

    @Test func anObserverSeesWhatALayerReadsComputesWithAndHandsOn() throws {
        let (conv, linear) = try layers()
        let recorder = Recorder()
        let residual = Variable(Tensor([100, 200], shape: [1, 1, 1, 2]))
        let output = recorder.observing { linear(conv(parts, residual: residual)) }

        #expect(recorder.events.map(\.operation.name) == ["conv", "linear"])
        #expect(recorder.events.map(\.operation.kind) == [.convolution1x1, .linear])
        #expect(
            recorder.events.map(\.operation.window)
                == [LayerOperation.Window(kernel: 1, stride: 1, padding: .none), nil])
        let (first, second) = (recorder.events[0], recorder.events[1])
        #expect(first.inputs.map { $0.value.array } == [[1, 2], [3]])
        #expect(first.inputs[0] === parts[0] && first.inputs[1] === parts[1])
        #expect(first.parameters[0] === conv.weight && first.parameters[1] === conv.bias)
        // The gates act on convolution and bias, not on the residual: (1 + 1)/2 + 100 and 2 + 3 + 200.
        #expect(first.output.value.array == [101, 205])
        #expect(second.inputs[0] === first.output && second.output === output)
        #expect(second.parameters[0] === linear.weight)
        #expect(output.value.array == [2151])
    }

    @Test func observersLookTogetherAndNotOutsideTheirScope() throws {
        let (conv, linear) = try layers()
        let (outer, inner) = (Recorder(), Recorder())
        struct Stop: Error {}
        #expect(!LayerOperation.isObserved)
        outer.observing {
            let hidden = conv(parts)
            #expect(throws: Stop.self) {
                try inner.observing {
                    _ = linear(hidden)
                    LayerOperation.unobserved { _ = linear(hidden) }
                    throw Stop()
                }
            }
            _ = linear(hidden)
        }
        _ = conv(parts)
        #expect(outer.events.map(\.operation.name) == ["conv", "linear", "linear"])
        #expect(inner.events.map(\.operation.name) == ["linear"])
        #expect(!LayerOperation.isObserved)
    }
}

import Layers
import TensorCore
import Testing

@Suite struct ChannelAxisTests {
    @Test func concatenationKeepsOriginalPositions() throws {
        let builder = ChannelAxisBuilder(kept: ["a": [0, 3], "b": [1]])
        let (a, b) = (try builder.axis("a", width: 4), try builder.axis("b", width: 2))
        let both = a + b
        #expect(both.width == 3 && both.originalWidth == 6)
        #expect(both.keptPositions == [0, 3, 5])
        #expect(both.groups.map(\.name) == ["a", "b"] && (b + a).keptPositions == [1, 2, 5])
        try builder.checkAllUsed()
    }

    @Test(arguments: [[], [2, 1], [1, 1], [-1, 0], [0, 4]]) func channelsThatCannotBeLeftAreRefused(kept: [Int]) {
        #expect {
            try ChannelAxisBuilder(kept: ["a": kept]).axis("a", width: 4)
        } throws: {
            "\($0)".contains("'a'") && "\($0)".contains("0..<4")
        }
    }

    @Test func anUnknownAxisIsNamed() throws {
        let builder = ChannelAxisBuilder(kept: ["nowhere": [0]])
        _ = try builder.axis("a", width: 4)
        #expect { try builder.checkAllUsed() } throws: { "\($0)".contains("'nowhere'") }
    }

    @Test func aGateOnOnePartIsOneElsewhere() throws {
        let builder = ChannelAxisBuilder()
        let (a, b) = (try builder.axis("a", width: 2), try builder.axis("b", width: 3))
        #expect((a + b).gate == nil)
        b.groups[0].gating = LeafGate(Variable(Tensor([0, 0.5, 1], shape: [3])))
        #expect((a + b).gate?.value.array == [1, 1, 0, 0.5, 1])
        #expect(a.gate == nil)
    }

    /// A residual lies on the output's axis and was gated where it was made.
    @Test func gatesMultiplyTheConvolutionButNotItsResidual() throws {
        let builder = ChannelAxisBuilder()
        let (from, to) = (try builder.axis("from", width: 2), try builder.axis("to", width: 2))
        let conv = Conv2d("conv", from: from, to: to, kernel: 1, padding: .none)
        conv.weight.load(fileValues: [1, 0, 0, 1])
        conv.bias.load(fileValues: [10, 10])
        to.groups[0].gating = LeafGate(Variable(Tensor([0.5, 0], shape: [2])))
        let x = Variable(Tensor([1, 2], shape: [1, 1, 1, 2]))
        let imageBias = Variable(Tensor([100, 100], shape: [1, 2]))
        let y = conv(x, imageBias: imageBias, residual: x).value.array
        // (1 + 10 + 100)·0.5 + 1 and (2 + 10 + 100)·0 + 2
        #expect(y == [56.5, 2])
    }

    @Test func aNormalizationOverUnequalPartsIsRefused() throws {
        let axis = try ChannelAxisBuilder().axis("a", width: 6)
        #expect {
            try GroupNorm("norm", axis: axis, groupCount: 4, epsilon: 1e-5)
        } throws: {
            "\($0)".contains("norm") && "\($0)".contains("6 channels")
        }
    }

    @Test func channelsStayInTheirNormalizationGroup() throws {
        let axis = try ChannelAxisBuilder(kept: ["a": [1, 2, 5]]).axis("a", width: 6)
        let norm = try GroupNorm("norm", axis: axis, groupCount: 2, epsilon: 1e-5)
        #expect(norm.groups == NormalizationGroups(groupOfChannel: [0, 0, 1]))
    }
}

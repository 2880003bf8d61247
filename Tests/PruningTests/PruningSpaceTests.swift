import Layers
import Pruning
import TensorCore
import TestSupport
import Testing
import Training

@Suite struct PruningSpaceTests {
    @Test(arguments: TinyUNet.all) func channelsAreTheNetworksAxesInOrder(tiny: TinyUNet) throws {
        let model = try tiny.model()
        let space = PruningSpace.channels(of: model)
        let axes = model.channelGroups.filter(\.isPrunable)
        #expect(space.kind == .channels && space.sites.map(\.name) == axes.map(\.name))
        #expect(space.widths == axes.map(\.width) && space.count == axes.reduce(0) { $0 + $1.width })
        #expect(zip(space.groups, axes).allSatisfy { $0.axis === $1 } && space.groups.count == axes.count)
    }

    /// Vectors (biases, normalisation) and tables are not masked by element.
    @Test(arguments: TinyUNet.all) func weightsAreThoseOfConvolutionsAndLinearLayers(tiny: TinyUNet) throws {
        let model = try tiny.model()
        let space = PruningSpace.weights(of: model)
        let expected = model.parameters.filter { parameter in
            // Files have [out, in] or [out, in, kh, kw]; the only other matrices are tables of classes and times.
            parameter.isTrainable && parameter.fileShape.count > 1
                && !["class_embedding.weight", "time_proj.weight"].contains(parameter.name)
        }
        #expect(space.kind == .weights && space.sites.map(\.name) == expected.map(\.name))
        #expect(space.widths == expected.map(\.count))
        #expect(!space.sites.contains { $0.name.hasSuffix("bias") || $0.name.contains("norm") })
        #expect(space.groups.isEmpty)
    }

    @Test func rangesLieOneBehindTheOther() throws {
        for space in [PruningSpace.channels(of: try ChainNetwork()), .weights(of: try ChainNetwork())] {
            #expect(space.ranges.map(\.lowerBound) == [0] + space.ranges.dropLast().map(\.upperBound))
            #expect(space.ranges.last?.upperBound == space.count)
            for (site, range) in space.ranges.enumerated() {
                #expect(range.allSatisfy { space.site(of: $0) == site })
            }
        }
        #expect(PruningSpace.channels(of: try ChainNetwork()).widths == [8, 12])
        #expect(PruningSpace.weights(of: try ChainNetwork()).widths == [6 * 8, 8 * 12, 12 * 4])
    }

    @Test func whatIsWantedCanBeChosen() throws {
        let network = try ChainNetwork()
        let all = PruningSpace.weights(of: network) { _ in true }
        #expect(all.sites.map(\.name) == network.parameters.map(\.name))
        let last = PruningSpace.weights(of: network) { $0.name.hasPrefix("layers.2") && $0.isMaskable }
        #expect(last.sites.map(\.name) == ["layers.2.weight"] && last.ranges == [0..<48])
        let none = PruningSpace.weights(of: network) { _ in false }
        #expect(none.count == 0 && Masks(none).isBinary)
    }

    /// A weight's place in the arena is not its number among the sites.
    @Test func valuesOfAFlatTensorAreTheCoordinatesOwn() throws {
        let network = try ChainNetwork()
        let arena = ParameterArena(network.parameters)
        for index in 0..<arena.count { arena.values.pointer[index] = Float(index) }
        let values = PruningSpace.weights(of: network).values(of: arena.values, in: arena)
        #expect(values == network.layers.flatMap { $0.weight.variable.value.array })
        let ranges = stride(from: 0, to: 6, by: 2).map { arena.ranges[$0] }
        #expect(values == ranges.flatMap { $0.map { Float($0) } })
    }

    @Test func scoresAreOneNumberACoordinate() throws {
        let space = PruningSpace.channels(of: try ChainNetwork())
        var scores = Scores(space, bySite: [Array(repeating: 1, count: 8), Array(repeating: 2, count: 12)])
        #expect(scores.values == Array(repeating: 1, count: 8) + Array(repeating: 2, count: 12))
        scores[1][3] = 7
        #expect(scores.values[11] == 7 && scores.bySite[1][3] == 7)
        var masks = Masks(space)
        (masks[0][2], masks[1][3]) = (0, 0.5)
        let left = scores.withoutRemoved(of: masks)
        #expect(left.values.indices.filter { left.values[$0] == -.infinity } == [2] && left[1][3] == 7)
    }
}

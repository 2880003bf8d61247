import Models
import Pruning
import TensorCore
import TestSupport
import Testing
import Training

/// A masked model and its compacted model are the same function: the invariant everything else rests on.
@Suite struct CompactionTests {
    /// float32 sums over fewer terms are taken in another order
    private let tolerance: Float = 1e-5

    @Test(arguments: TinyUNet.all) func everyGroupAloneCanBeCompacted(tiny: TinyUNet) throws {
        let model = try tiny.model()
        let space = PruningSpace.channels(of: model)
        let dense = tiny.output(of: model)
        for index in space.sites.indices {
            var masks = Masks(space)
            masks[index] = Masks.random(space, seed: 7)[index]
            if masks[index].allSatisfy({ $0 == 1 }) { masks[index][0] = 0 }
            let masked = masks.applied { tiny.output(of: model) }
            let compacted = try Compaction(model, masks: masks).network
            #expect(relativeDifference(masked, tiny.output(of: compacted)) <= tolerance, "\(space.sites[index].name)")
            #expect(relativeDifference(dense, masked) > 1e-4, "\(space.sites[index].name): its mask does nothing")
            #expect(compacted.parameterCount < model.parameterCount)
        }
    }

    @Test(arguments: TinyUNet.all, [0.2, 0.5, 0.8])
    func allGroupsTogetherCanBeCompacted(tiny: TinyUNet, keeping: Double) throws {
        let model = try tiny.model()
        let space = PruningSpace.channels(of: model)
        for seed in 1...3 as ClosedRange<UInt64> {
            let masks = Masks.random(space, keeping: keeping, seed: seed)
            let masked = masks.applied { tiny.output(of: model) }
            let compacted = try Compaction(model, masks: masks).network
            #expect(relativeDifference(masked, tiny.output(of: compacted)) <= tolerance)
            #expect(compacted.channelGroups.map(\.width) == masks.liveWidths)
        }
    }

    @Test(arguments: TinyUNet.all) func aCompactedModelCanBeCompactedAgain(tiny: TinyUNet) throws {
        let model = try tiny.model()
        let space = PruningSpace.channels(of: model)
        let first = Masks.random(space, keeping: 0.7, seed: 4)
        let once = try Compaction(model, masks: first).network
        let onceSpace = PruningSpace.channels(of: once)
        let second = Masks.random(onceSpace, keeping: 0.6, seed: 5)
        let masked = second.applied { tiny.output(of: once) }
        let twice = try Compaction(once, masks: second).network
        #expect(relativeDifference(masked, tiny.output(of: twice)) <= tolerance)

        // One compaction by both masks together gives the same network.
        var both = first
        for (index, group) in onceSpace.groups.enumerated() {
            for (channel, original) in group.axis.kept.enumerated() where second[index][channel] == 0 {
                both[index][original] = 0
            }
        }
        let atOnce = try Compaction(model, masks: both).network
        #expect(atOnce.keptChannels == twice.keptChannels)
        for (a, b) in zip(atOnce.parameters, twice.parameters) {
            #expect(a.variable.value.array == b.variable.value.array, "\(a.name)")
        }
    }

    @Test func keepingEverythingChangesNothing() throws {
        let tiny = TinyUNet.all[0]
        let model = try tiny.model()
        let space = PruningSpace.channels(of: model)
        let same = try Compaction(model, masks: Masks(space)).network
        #expect(same.keptChannels.isEmpty)
        #expect(tiny.output(of: same) == tiny.output(of: model))
    }

    /// What has the weights' shape goes along: a step of training is the same before and after.
    @Test(arguments: ["attention heads", "scale and shift", "normalisation groups that straddle a concatenation"])
    func optimizerStateAndAveragesGoAlong(name: String) throws {
        let tiny = try TinyUNet.named(name)
        let model = try tiny.model()
        let space = PruningSpace.channels(of: model)
        let arena = ParameterArena(model.parameters)
        var configuration = OptimizerConfiguration()
        configuration.kind = .sgd  // linear in the gradients, so that their rounding is not magnified
        let optimizer = Optimizer(configuration, arena: arena)
        let average = ExponentialMovingAverage(decay: 0.9, arena: arena)
        let masks = Masks.random(space, seed: 6)
        func step(_ model: UNet, _ arena: ParameterArena, _ optimizer: Optimizer, _ average: ExponentialMovingAverage) {
            arena.clearGradients()
            tiny.loss(of: model).backward()
            arena.completeGradients()
            optimizer.update(learningRate: 0.01)
            average.update(arena)
        }
        for _ in 0..<3 { masks.applied { step(model, arena, optimizer, average) } }

        let compaction = try Compaction(model, masks: masks)
        let small = ParameterArena(compaction.network.parameters)
        func gathered(_ flat: Tensor) -> [Float] { compaction.gather(flat, from: arena, to: small).array }
        #expect(gathered(arena.values) == small.values.array)
        let smallOptimizer = Optimizer(configuration, arena: small)
        try smallOptimizer.restore(
            step: optimizer.step,
            tensors: Dictionary(uniqueKeysWithValues: optimizer.state.map { ($0.name, gathered($0.tensor)) }))
        let smallAverage = ExponentialMovingAverage(decay: 0.9, arena: small)
        try smallAverage.restore(step: average.step, values: gathered(average.average))

        for _ in 0..<2 {
            masks.applied { step(model, arena, optimizer, average) }
            step(compaction.network, small, smallOptimizer, smallAverage)
        }
        // two steps of float32 training
        #expect(relativeDifference(gathered(arena.values), small.values.array) <= 1e-5)
        #expect(relativeDifference(gathered(optimizer.state[0].tensor), smallOptimizer.state[0].tensor.array) <= 1e-4)
        #expect(relativeDifference(gathered(average.average), smallAverage.average.array) <= 1e-5)
        #expect(small.count < arena.count)
        // And back: what was away stayed as it was, under masks as well.
        let whole = arena.values.copied()
        for parameter in arena.parameters.indices { arena.slice(whole, parameter).fill(7) }
        compaction.scatter(small.values, from: small, to: arena, into: whole)
        #expect(gathered(whole) == small.values.array)
        func elements(_ arena: ParameterArena) -> Int { arena.parameters.reduce(0) { $0 + $1.count } }
        #expect(whole.array.count { $0 == 7 } == elements(arena) - elements(small))
    }

    @Test func aSoftMaskIsRefusedByItsGroup() throws {
        let model = try TinyUNet.all[0].model()
        let space = PruningSpace.channels(of: model)
        var masks = Masks(space)
        masks[2][1] = 0.5
        #expect {
            _ = try Compaction(model, masks: masks)
        } throws: {
            "\($0)".contains(space.sites[2].name) && "\($0)".contains("polarise")
        }
        masks[2][1] = .nan
        #expect(throws: CompactionError.self) { try Compaction(model, masks: masks) }
    }

    @Test func anEmptyGroupIsRefusedByName() throws {
        let model = try TinyUNet.all[0].model()
        let space = PruningSpace.channels(of: model)
        var masks = Masks(space)
        masks[1] = masks[1].map { _ in 0 }
        #expect {
            _ = try Compaction(model, masks: masks)
        } throws: {
            "\($0)".contains(space.sites[1].name) && "\($0)".contains("at least one")
        }
    }

    // MARK: fixed axes

    /// Rows and columns of what stays, picked by hand; the network's own input and output stay whole.
    @Test func fixedAxesStayWhole() throws {
        let network = try ChainTask.network()
        let space = PruningSpace.channels(of: network)
        var masks = Masks(space)
        masks[0] = [1, 0, 0, 1, 1, 0, 1, 1]
        masks[1] = [0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0]
        let (first, second) = ([0, 3, 4, 6, 7], [1, 4, 8, 9])
        let small = try Compaction(network, masks: masks).network
        #expect(small.layers.map(\.weight.variable.shape) == [[6, 5], [5, 4], [4, 4]])
        func picked(_ layer: Int, _ rows: [Int], _ columns: [Int]) -> [Float] {
            let weight = network.layers[layer].weight.variable
            return rows.flatMap { row in columns.map { weight.value.pointer[row * weight.shape[1] + $0] } }
        }
        #expect(small.layers[0].weight.variable.value.array == picked(0, Array(0..<6), first))
        #expect(small.layers[1].weight.variable.value.array == picked(1, first, second))
        #expect(small.layers[2].weight.variable.value.array == picked(2, second, Array(0..<4)))
        let biases = network.layers.map(\.bias.variable.value.array)
        #expect(small.layers[0].bias.variable.value.array == first.map { biases[0][$0] })
        #expect(small.layers[1].bias.variable.value.array == second.map { biases[1][$0] })
        #expect(small.layers[2].bias.variable.value.array == biases[2])
        #expect(small.keptChannels == ["hidden.0": first, "hidden.1": second])

        let x = Variable(ChainTask().inputs)
        let masked = masks.applied { Autograd.withoutRecording { network(x).value.array } }
        #expect(relativeDifference(masked, Autograd.withoutRecording { small(x).value.array }) <= 1e-6)
    }

    /// What is laid out as the network's arena goes along, whatever order its parameters come in.
    @Test func flatTensorsAreGatheredByName() throws {
        let network = try ChainTask.network()
        var masks = Masks(.channels(of: network))
        masks[1] = [0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0]
        let arena = ParameterArena(network.parameters)
        let compaction = try Compaction(network, masks: masks)
        let small = ParameterArena(compaction.network.parameters.reversed())
        let flat = Tensor(zeros: [arena.count])
        for index in 0..<arena.count { flat.pointer[index] = arena.values.pointer[index] * 2 }
        let gathered = compaction.gather(flat, from: arena, to: small)
        #expect(gathered.array == small.values.array.map { $0 * 2 })
        #expect(gathered.array.contains { $0 != 0 })
    }
}

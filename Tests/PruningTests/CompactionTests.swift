import Models
import Pruning
import TensorCore
import Testing
import Training

/// A masked model and its compacted model are the same function: the invariant everything else rests on.
@Suite struct CompactionTests {
    /// float32 sums over fewer terms are taken in another order
    private let tolerance: Float = 1e-5

    private func maskedOutput(_ tiny: TinyUNet, _ model: UNet, _ groups: [PrunableGroup], _ masks: MaskSet) -> [Float] {
        masks.install(on: groups, trainable: false)
        defer { MaskSet.removeGates(from: groups) }
        return tiny.output(of: model)
    }

    @Test(arguments: TinyUNet.all) func everyGroupAloneCanBeCompacted(tiny: TinyUNet) throws {
        let model = try tiny.model()
        let groups = PrunableGroup.all(of: model)
        let dense = tiny.output(of: model)
        for index in groups.indices {
            var masks = MaskSet(keepingAllOf: groups)
            masks.values[index] = MaskSet.random(groups, seed: 7).values[index]
            if masks.values[index].allSatisfy({ $0 == 1 }) { masks.values[index][0] = 0 }
            let masked = maskedOutput(tiny, model, groups, masks)
            let compacted = try Compaction(model, groups: groups, masks: masks).network
            #expect(relativeDifference(masked, tiny.output(of: compacted)) <= tolerance, "\(groups[index].name)")
            #expect(relativeDifference(dense, masked) > 1e-4, "\(groups[index].name): its mask does nothing")
            #expect(compacted.parameterCount < model.parameterCount)
        }
    }

    @Test(arguments: TinyUNet.all, [0.2, 0.5, 0.8])
    func allGroupsTogetherCanBeCompacted(tiny: TinyUNet, keeping: Double) throws {
        let model = try tiny.model()
        let groups = PrunableGroup.all(of: model)
        for seed in 1...3 as ClosedRange<UInt64> {
            let masks = MaskSet.random(groups, keeping: keeping, seed: seed)
            let masked = maskedOutput(tiny, model, groups, masks)
            let compacted = try Compaction(model, groups: groups, masks: masks).network
            #expect(relativeDifference(masked, tiny.output(of: compacted)) <= tolerance)
            #expect(compacted.channelGroups.map(\.width) == masks.liveWidths)
        }
    }

    @Test(arguments: TinyUNet.all) func aCompactedModelCanBeCompactedAgain(tiny: TinyUNet) throws {
        let model = try tiny.model()
        let groups = PrunableGroup.all(of: model)
        let first = MaskSet.random(groups, keeping: 0.7, seed: 4)
        let once = try Compaction(model, groups: groups, masks: first).network
        let onceGroups = PrunableGroup.all(of: once)
        let second = MaskSet.random(onceGroups, keeping: 0.6, seed: 5)
        let masked = maskedOutput(tiny, once, onceGroups, second)
        let twice = try Compaction(once, groups: onceGroups, masks: second).network
        #expect(relativeDifference(masked, tiny.output(of: twice)) <= tolerance)

        // One compaction by both masks together gives the same network.
        var both = first
        for (index, group) in onceGroups.enumerated() {
            for (channel, original) in group.axis.kept.enumerated() where second.values[index][channel] == 0 {
                both.values[index][original] = 0
            }
        }
        let atOnce = try Compaction(model, groups: groups, masks: both).network
        #expect(atOnce.keptChannels == twice.keptChannels)
        for (a, b) in zip(atOnce.parameters, twice.parameters) {
            #expect(a.variable.value.array == b.variable.value.array, "\(a.name)")
        }
    }

    @Test func keepingEverythingChangesNothing() throws {
        let tiny = TinyUNet.all[0]
        let model = try tiny.model()
        let groups = PrunableGroup.all(of: model)
        let same = try Compaction(model, groups: groups, masks: MaskSet(keepingAllOf: groups)).network
        #expect(same.keptChannels.isEmpty)
        #expect(tiny.output(of: same) == tiny.output(of: model))
    }

    /// What has the weights' shape goes along: a step of training is the same before and after.
    @Test(arguments: ["attention heads", "scale and shift", "normalisation groups that straddle a concatenation"])
    func optimizerStateAndAveragesGoAlong(name: String) throws {
        let tiny = try TinyUNet.named(name)
        let model = try tiny.model()
        let groups = PrunableGroup.all(of: model)
        let arena = ParameterArena(model.parameters)
        var configuration = OptimizerConfiguration()
        configuration.kind = .sgd  // linear in the gradients, so that their rounding is not magnified
        let optimizer = Optimizer(configuration, arena: arena)
        let average = ExponentialMovingAverage(decay: 0.9, arena: arena)
        let masks = MaskSet.random(groups, seed: 6)
        masks.install(on: groups, trainable: false)
        func step(_ model: UNet, _ arena: ParameterArena, _ optimizer: Optimizer, _ average: ExponentialMovingAverage) {
            arena.clearGradients()
            tiny.loss(of: model).backward()
            arena.completeGradients()
            optimizer.update(learningRate: 0.01)
            average.update(arena)
        }
        for _ in 0..<3 { step(model, arena, optimizer, average) }

        let compaction = try Compaction(model, groups: groups, masks: masks)
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
            step(model, arena, optimizer, average)
            step(compaction.network, small, smallOptimizer, smallAverage)
        }
        // two steps of float32 training
        #expect(relativeDifference(gathered(arena.values), small.values.array) <= 1e-5)
        #expect(relativeDifference(gathered(optimizer.state[0].tensor), smallOptimizer.state[0].tensor.array) <= 1e-4)
        #expect(relativeDifference(gathered(average.average), smallAverage.average.array) <= 1e-5)
        #expect(small.count < arena.count)
    }

    @Test func aSoftMaskIsRefusedByItsGroup() throws {
        let model = try TinyUNet.all[0].model()
        let groups = PrunableGroup.all(of: model)
        var masks = MaskSet(keepingAllOf: groups)
        masks.values[2][1] = 0.5
        #expect {
            _ = try Compaction(model, groups: groups, masks: masks)
        } throws: {
            "\($0)".contains(groups[2].name) && "\($0)".contains("polarise")
        }
        masks.values[2][1] = .nan
        #expect(throws: CompactionError.self) { try Compaction(model, groups: groups, masks: masks) }
    }

    @Test func anEmptyGroupIsRefusedByName() throws {
        let model = try TinyUNet.all[0].model()
        let groups = PrunableGroup.all(of: model)
        var masks = MaskSet(keepingAllOf: groups)
        masks.values[1] = masks.values[1].map { _ in 0 }
        #expect {
            _ = try Compaction(model, groups: groups, masks: masks)
        } throws: {
            "\($0)".contains(groups[1].name) && "\($0)".contains("at least one")
        }
    }
}

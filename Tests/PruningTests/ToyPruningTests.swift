import Layers
import Pruning
import TensorCore
import TestSupport
import Testing
import Training

/// Pruning of a network that has nothing to do with images or diffusion, from its training to the network that is left.
@Suite struct ToyPruningTests {
    /// |∂L/∂m| by batch: a criterion as a client of the library would write one.
    private struct Sensitivity: ImportanceCriterion {
        static let card = MethodCard(name: "sensitivity", family: "test", summary: "what the loss feels", paper: "")
        static let needs: [any EvidenceKind.Type] = [Gradients.self]
        static let scoresAreLossChanges = true

        init(_ configuration: NoConfiguration, seed: UInt64) {}

        func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
            try evidence(Gradients(), at: masks).masks.sum(abs)
        }
    }

    private final class Calibration: CalibrationSource {
        private let network: ToyNetwork
        let batchCount = 4

        init(_ network: ToyNetwork) { self.network = network }

        func loss(batch: Int) throws -> Variable {
            let batch = ToyBatches().calibrationBatch(number: batch, of: batchCount, size: 32)
            return ToyTask().loss(of: network, on: batch, teacher: nil, dropout: nil)
        }
    }

    /// What is left after a plan of three updates.
    private struct Result {
        let network: ToyNetwork
        let masks: Masks
        let selection: Selection
        /// Losses of batches that were not trained on, before and after.
        let dense: Double, pruned: Double
    }

    private func loss(_ trainer: Trainer<ToyTask>) throws -> Double {
        let source = EvidenceSource(
            network: trainer.network, arena: trainer.arena, calibration: Calibration(trainer.network))
        return try source(CalibrationLoss(), at: Masks(.channels(of: trainer.network)))
    }

    private func pruned(_ target: String, _ granularity: Granularity) throws -> Result {
        let network = try ToyNetwork()
        network.initialize(seed: 3)
        var training = TrainingConfiguration()
        training.learningRate = 0.01
        training.ema = 0
        let trainer = try Trainer(ToyTask(), network: network, batches: ToyBatches(size: 32), configuration: training)
        for _ in 0..<600 { try trainer.advance() }
        let inputs = ToyBatches().calibrationBatch(number: 9, of: 10, size: 8).inputs

        let space = PruningSpace.of(granularity.space, in: network)
        let budget = try Budget(parsing: target)
        let context = PruningContext(
            space: space,
            evidence: EvidenceSource(
                network: network, arena: trainer.arena, calibration: Calibration(network), declared: Sensitivity.needs),
            selection: try Selection(
                space: space, network: network, budget: budget, granularity: granularity, minimumFraction: 0),
            timing: PlanTiming(steps: 600, softFraction: 0.5, space: space.kind, remaining: budget.remaining))
        let dense = try loss(trainer)
        var configuration = RankingConfiguration<Sensitivity>()
        configuration.rounds = 3
        var pruner = ScoreAndRank<Sensitivity>(configuration, seed: 0)
        var masks = Masks(space)
        for stage in pruner.plan(context.timing).stages {
            switch stage {
            case .update(let number): _ = try pruner.update(&masks, number: number, in: context)
            case .train(let steps):
                let present = trainer.network === network ? masks : Masks(space)
                try present.applied { for _ in 0..<steps { try trainer.advance() } }
                context.evidence.weightsChanged()
            case .compact:
                let masked = masks.applied { network.values(of: inputs) }
                let compaction = try Compaction(network, masks: masks)
                try trainer.adopt(compaction.network) { compaction.gather($0, from: $1, to: $2) }
                #expect(relativeDifference(masked, trainer.network.values(of: inputs)) <= 1e-5)
            case .bake:
                let masked = masks.applied { network.values(of: inputs) }
                trainer.multiplyWeights(by: masks.flat(in: trainer.arena))
                #expect(network.values(of: inputs) == masked)
            case .snapshot, .rewind, .reconstruct: Issue.record("not planned")
            }
        }
        return Result(
            network: trainer.network, masks: masks, selection: context.selection, dense: dense,
            pruned: try loss(trainer))
    }

    @Test(arguments: ["params=0.6", "macs=0.5", "sparsity=0.4"]) func channelsOfAToyNetwork(target: String) throws {
        let result = try pruned(target, .channel)
        let (network, masks) = (result.network, result.masks)
        #expect(masks.isBinary && network.channelGroups.map(\.width) == masks.liveWidths)
        let left = result.selection.density(of: masks)
        #expect(left <= result.selection.budget.remaining)
        let dense = try ToyNetwork()
        if target.hasPrefix("macs") { #expect(network.macs == left * dense.macs) }
        if target.hasPrefix("params") {
            #expect(network.parameterCount == Int((left * Double(dense.parameterCount)).rounded()))
        }
        expectLearned(result)
    }

    @Test(arguments: [(Granularity.weight, "sparsity=0.7"), (.pattern(keep: 2, of: 4), "sparsity=0.5")])
    func weightsOfAToyNetwork(granularity: Granularity, target: String) throws {
        let result = try pruned(target, granularity)
        #expect(result.masks.isBinary)
        let weights = result.network.layers.flatMap { $0.weight.variable.value.array }
        #expect(weights.count { $0 == 0 } == result.masks.values.count { $0 == 0 })
        if granularity == .weight { #expect(weights.count { $0 != 0 } == Int(Double(weights.count) * 0.3)) }
        expectLearned(result)
    }

    private func expectLearned(_ result: Result, sourceLocation: SourceLocation = #_sourceLocation) {
        // The targets' mean square is about 1.
        #expect(
            result.dense < 0.05 && result.pruned < 0.2, "\(result.dense) → \(result.pruned)",
            sourceLocation: sourceLocation)
    }
}

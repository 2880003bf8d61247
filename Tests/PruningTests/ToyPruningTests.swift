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

    private struct Trained {
        let network: ToyNetwork
        let arena: ParameterArena
        private let optimizer: Optimizer

        init(_ network: ToyNetwork) {
            self.network = network
            arena = ParameterArena(network.parameters)
            optimizer = Optimizer(OptimizerConfiguration(), arena: arena)
        }

        func train(_ task: ToyTask, steps: Int) {
            for _ in 0..<steps {
                arena.clearGradients()
                task.loss(of: network).backward()
                arena.completeGradients()
                optimizer.update(arena, learningRate: 0.01)
            }
        }
    }

    private let task = ToyTask()

    private func loss(_ network: ToyNetwork) -> Double {
        Double(Autograd.withoutRecording { task.loss(of: network) }.value.scalar)
    }

    private func output(_ network: ToyNetwork) -> [Float] {
        Autograd.withoutRecording { network(Variable(task.inputs)).value.array }
    }

    /// What is left after a plan of three updates, with the masks, beside the loss of the dense network.
    private func pruned(_ target: String, _ granularity: Granularity) throws
        -> (network: ToyNetwork, masks: Masks, selection: Selection, dense: Double)
    {
        var trained = Trained(try ToyTask.network())
        trained.train(task, steps: 400)
        let network = trained.network
        let dense = loss(network)
        let space = PruningSpace.of(granularity.space, in: network)
        let selection = try Selection(
            space: space, network: network, budget: Budget(parsing: target), granularity: granularity,
            minimumFraction: 0)
        let context = PruningContext(
            space: space,
            evidence: EvidenceSource(
                network: network, arena: trained.arena, calibration: task.calibration(of: network),
                declared: Sensitivity.needs),
            selection: selection)
        var configuration = RankingConfiguration<NoConfiguration>()
        configuration.rounds = 3
        var pruner = ScoreAndRank<Sensitivity>(configuration, seed: 0)
        var masks = Masks(space)
        for stage in pruner.plan(PlanTiming(steps: 400, softFraction: 0.5, space: space.kind)).stages {
            switch stage {
            case .update(let number): _ = try pruner.update(&masks, number: number, in: context)
            case .train(let steps):
                if trained.network === network {
                    masks.applied { trained.train(task, steps: steps) }
                } else {
                    trained.train(task, steps: steps)
                }
                context.evidence.weightsChanged()
            case .compact:
                let masked = masks.applied { output(network) }
                trained = Trained(try Compaction(network, masks: masks).network)
                #expect(relativeDifference(masked, output(trained.network)) <= 1e-5)
            case .bake:
                let masked = masks.applied { output(network) }
                for (site, mask) in zip(space.sites, masks.bySite) {
                    guard case .weight(let parameter, _) = site else { continue }
                    for (element, value) in mask.enumerated() { parameter.variable.value.pointer[element] *= value }
                }
                #expect(output(network) == masked)
            case .snapshot, .rewind, .reconstruct: Issue.record("not planned")
            }
        }
        return (trained.network, masks, selection, dense)
    }

    @Test(arguments: ["params=0.6", "macs=0.5", "sparsity=0.4"]) func channelsOfAToyNetwork(target: String) throws {
        let (network, masks, selection, dense) = try pruned(target, .channel)
        #expect(masks.isBinary && network.channelGroups.map(\.width) == masks.liveWidths)
        #expect(selection.density(of: masks) <= selection.budget.remaining)
        if target.hasPrefix("macs") { #expect(network.macs <= 0.5 * 192) }
        if target.hasPrefix("params") { #expect(network.parameterCount <= Int(0.6 * 216)) }
        // Of targets of variance one about; untrained networks of its size are at 1.
        #expect(dense < 0.02 && loss(network) < 0.1, "\(dense) → \(loss(network))")
    }

    @Test(arguments: [(Granularity.weight, "sparsity=0.6"), (.pattern(keep: 2, of: 4), "sparsity=0.5")])
    func weightsOfAToyNetwork(granularity: Granularity, target: String) throws {
        let (network, masks, selection, dense) = try pruned(target, granularity)
        #expect(masks.isBinary)
        let zeros = network.layers.flatMap { $0.weight.variable.value.array }.count { $0 == 0 }
        #expect(zeros == masks.values.count { $0 == 0 })
        if granularity == .weight { #expect(192 - zeros == Int(192 * selection.budget.remaining)) }
        #expect(dense < 0.02 && loss(network) < 0.1, "\(dense) → \(loss(network))")
    }
}

import Layers
import Pruning
import TensorCore
import Testing
import Training

@testable import PruningMethods

@Suite struct DiscriminationAwareTests {
    private func order(auxiliaryWeight: Double, groups: Int) -> JoiningOrder {
        JoiningOrder(
            auxiliaryWeight: auxiliaryWeight, heads: 3, groups: groups, batches: 2, damping: 0.01,
            patchesPerBatch: 256, seed: 3)
    }

    /// While no channel has joined, ŷ is the bias alone, and ∂J/∂w_k = −2·Σ_s p_k·(y − b)/‖y‖² by hand.
    @Test func theFirstToJoinIsWhoseWeightsTheErrorPullsMost() throws {
        let bench = try Bench()
        let context = try bench.context("macs=0.5")
        let site = try #require(context.space.groups.firstIndex { $0.name == "down_blocks.0.resnets.0.inner" })
        let group = context.space.groups[site]
        let weight = group.consumers[0].parameter
        let whole = Masks(context.space)
        let patches = try #require(
            try context.evidence(
                InputPatches(.patches(of: ObjectIdentifier(weight)), patchesPerBatch: 256, seed: 3), at: whole)[weight])
        let outputs = try #require(
            try context.evidence(InputPatches(.outputs, patchesPerBatch: 256, seed: 3), at: whole)[weight]
        ).outputs
        // Every place of both batches, of two images of 64 pixels.
        #expect(patches.count == 256)
        let count = outputs.count / patches.count
        let joinedNone = try LayerUpdate(patches, outputs: outputs, damping: 0.01)
            .rows(of: weight, PatchMask(weight, channels: Array(repeating: false, count: group.width)))
        var squares = [Double](repeating: 0, count: group.width)
        for column in 0..<(patches.width - 1) {
            for output in 0..<count {
                let bias = Double(joinedNone[weight.count + output])
                let pull = (0..<patches.count).reduce(0.0) {
                    $0 + Double(patches.patches[$1 * patches.width + column]) * (outputs[$1 * count + output] - bias)
                }
                squares[column % group.width] += pull * pull
            }
        }
        let scores = try context.evidence(order(auxiliaryWeight: 0, groups: group.width), at: whole)[site]
        let first = try #require(scores.indices.max { scores[$0] < scores[$1] })
        #expect(first == squares.indices.max { squares[$0] < squares[$1] })
        // The error falls as channels join: to nothing with all of them.
        #expect(Set(scores).count == group.width && scores.allSatisfy { $0 > 0 })
    }

    @Test func headsPredictBetterThanMeansAndNoOtherHeadIsBetter() throws {
        let bench = try Bench()
        let heads = try AuxiliaryHeads(3, from: bench, batches: 2)
        #expect(heads.heads.count == 3)
        for head in heads.heads {
            let reader = FeatureReader([ObjectIdentifier(head.layer)])
            var (loss, variance) = (0.0, 0.0)
            for batch in 0..<2 {
                _ = try reader.observing { try Autograd.withoutRecording { try bench.loss(batch: batch) } }
                let feature = try #require(reader.outputs[ObjectIdentifier(head.layer)])
                let targets = try #require(bench.targets(batch: batch))
                loss += Double(head.loss(feature, targets).value.scalar) / 2
                guard case .values(let images) = targets else {
                    Issue.record("images are what an unconditional model is told")
                    return
                }
                let pooled = AuxiliaryHeads.Head.pooled(images, height: feature.shape[1], width: feature.shape[2]).array
                variance += pooled.reduce(0) { $0 + Double($1 * $1) } / Double(pooled.count) / 2
            }
            #expect(abs(loss - head.fittedLoss) < 1e-4)
            #expect(loss < 0.95 * variance, "\(loss) of \(variance)")
        }
    }

    /// Two classes, told apart by one channel of three.
    @Test func aClassHeadLearnsWhatTellsClassesApart() throws {
        let source = TwoClasses()
        let heads = try AuxiliaryHeads(1, from: source, batches: 4)
        let head = try #require(heads.heads.first)
        #expect(head.fittedLoss < 0.1, "\(head.fittedLoss), by chance 0.69")
        let feature = Variable(source.images(0))
        let targets = try #require(source.targets(batch: 0))
        #expect(Double(head.loss(feature, targets).value.scalar) < 0.1)
    }

    @Test func pooledImagesAreMeansOfTheirCells() {
        let image = Tensor((0..<16).map { Float($0) }, shape: [1, 4, 4, 1])
        #expect(AuxiliaryHeads.Head.pooled(image, height: 2, width: 2).array == [2.5, 4.5, 10.5, 12.5])
        #expect(AuxiliaryHeads.Head.pooled(image, height: 4, width: 4).array == image.array)
    }

    @Test func headsChangeWhatStays() throws {
        let bench = try Bench()
        let context = try bench.context("macs=0.5")
        let whole = Masks(context.space)
        let plain = try context.evidence(order(auxiliaryWeight: 0, groups: 4), at: whole)
        let aware = try context.evidence(order(auxiliaryWeight: 100, groups: 4), at: whole)
        func ranks(_ scores: [Double]) -> [Int] { scores.indices.sorted { scores[$0] > scores[$1] } }
        #expect(plain.map(ranks) != aware.map(ranks))
    }

    @Test func refittedOutputsAreNearerAndTheChoiceIsBetterThanChance() throws {
        var configuration = DiscriminationAware.Configuration()
        let refitted = try Bench.outputError(after: DiscriminationAware(configuration, seed: 3), "params=0.6")
        configuration.reconstruct = false
        let plain = try Bench.outputError(after: DiscriminationAware(configuration, seed: 3), "params=0.6")
        #expect(refitted < 0.8 * plain, "\(plain) → \(refitted)")
        let random = try Bench.outputError(
            after: ScoreAndRank<RandomScores>(RankingConfiguration(), seed: 1), "params=0.6")
        #expect(plain < random, "\(plain), random \(random)")
    }
}

/// Images of three channels, of which one says the class: a network of one convolution that hands them on.
private final class TwoClasses: TargetedCalibration {
    private let convolution: Parameter

    init() {
        convolution = Parameter(
            "conv.weight", layout: .convolution, axes: [nil, nil, nil, nil], shape: [1, 1, 3, 3],
            initialization: .zeros)
        convolution.variable.value.assign(Tensor([1, 0, 0, 0, 1, 0, 0, 0, 1], shape: [1, 1, 3, 3]))
    }

    var batchCount: Int { 4 }

    private func label(_ image: Int, of batch: Int) -> Int { (image + batch) % 2 }

    func images(_ batch: Int) -> Tensor {
        var stream = RandomStream(seed: 8, purpose: "test-images", index: UInt64(batch))
        return Tensor(
            (0..<(8 * 16 * 3)).map { index in
                let noise = 0.3 * stream.normal()
                return index % 3 == 1 ? noise + (label(index / 48, of: batch) == 0 ? 1 : -1) : noise
            }, shape: [8, 4, 4, 3])
    }

    func targets(batch: Int) -> SampleTargets? { .classes((0..<8).map { label($0, of: batch) }, count: 2) }

    func loss(batch: Int) throws -> Variable {
        let images = Variable(images(batch))
        let window = LayerOperation.Window(kernel: 1, stride: 1, padding: .none)
        let output = LayerOperation.run(
            "conv", .convolution1x1, of: [images], parameters: [convolution], window: window
        ) { Variable.convolved([images], with: convolution.variable, stride: 1, padding: .none) }
        return output.meanSquaredError(to: Tensor(zeros: output.shape))
    }
}

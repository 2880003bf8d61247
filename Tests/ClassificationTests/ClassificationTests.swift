import Classification
import Datasets
import Foundation
import Imagery
import Layers
import TensorCore
import TestSupport
import Testing
import Training

@Suite struct ClassificationTests {
    /// A 3×3 convolution with 6 channels, their means, and logits.
    private final class SmallClassifier: Classifier {
        let channelGroups: [ChannelGroup]
        private let convolution: Conv2d
        private let head: Linear

        init(kept: [String: [Int]] = [:]) throws {
            let builder = ChannelAxisBuilder(kept: kept)
            let inner = try builder.axis("inner", width: 6)
            convolution = Conv2d("convolution", from: .fixed("pixels", width: 1), to: inner)
            head = Linear("head", from: inner, to: .fixed("classes", width: 3))
            channelGroups = builder.groups
        }

        let classCount = 3
        var parameters: [Parameter] { convolution.parameters + head.parameters }
        var normalizations: [any ChannelNormalization] { [] }
        var computeTerms: [ComputeTerm] { [convolution.computeTerm(outputPixels: 16), head.computeTerm(rows: 1)] }
        func rebuilt(keeping kept: [String: [Int]]) throws -> SmallClassifier { try SmallClassifier(kept: kept) }

        func logits(of images: Variable) -> Variable {
            head(convolution(images).activated(.silu).meanOverPixels())
        }
    }

    /// Twelve pictures of 4×4 pixels; class k has its brightest column at k. No two are alike.
    private static let dataset: InMemoryDataset = {
        var pixels: [UInt8] = []
        for image in 0..<12 {
            for pixel in 0..<16 { pixels.append(pixel % 4 == image % 3 ? UInt8(200 + image) : UInt8(image)) }
        }
        return InMemoryDataset(
            pixels: pixels, height: 4, width: 4, channels: 1, labels: (0..<12).map { $0 % 3 }, labelCount: 3)
    }()

    private func source(flip: Bool = false, shift: Int = 0) -> LabelledBatches {
        LabelledBatches(
            TrainingImages(Self.dataset, batchSize: 5, seed: 2, flip: flip, maximumShift: shift))
    }

    private func plain(_ index: Int) -> [Float] {
        let pixels = Tensor(uninitialized: [16])
        Self.dataset.read(index, into: pixels.pointer)
        return pixels.array
    }

    /// The picture of each sample, told by its least pixel.
    private func numbers(_ batch: LabelledBatch) -> [Int] {
        (0..<batch.count).map { sample in
            let least = batch.images.rows(sample..<sample + 1).array.min() ?? 0
            return Int(((least + 1) / 2 * 255).rounded())
        }
    }

    @Test func everyPictureComesWithItsClassOnceAnEpoch() {
        let source = source(flip: true, shift: 1)
        let batches = (0..<12).map { source.batch(step: $0) }
        let seen = batches.flatMap(numbers)
        for epoch in 0..<5 { #expect(Set(seen[epoch * 12..<epoch * 12 + 12]) == Set(0..<12)) }
        #expect(batches.flatMap(\.labels) == seen.map { $0 % 3 })
    }

    @Test func aBatchDependsOnItsStepAlone() {
        let source = source(flip: true, shift: 2)
        for step in [3, 0, 7, 3] {
            let batch = source.batch(step: step), fresh = self.source(flip: true, shift: 2).batch(step: step)
            #expect(batch.images.array == fresh.images.array && batch.labels == fresh.labels)
        }
    }

    /// Every picture of a batch is one of the moves and mirror images of the picture that it is said to be.
    @Test func picturesAreMovedWithTheirEdgesRepeatedAndMirrored() {
        let source = source(flip: true, shift: 1)
        var kinds: Set<[Int]> = []
        for step in 0..<20 {
            let batch = source.batch(step: step)
            for (sample, number) in numbers(batch).enumerated() {
                let (got, original) = (batch.images.rows(sample..<sample + 1).array, plain(number))
                func moved(_ mirrored: Bool, _ down: Int, _ right: Int) -> [Float] {
                    (0..<16).map { place in
                        let (y, x) = (min(max(place / 4 - down, 0), 3), min(max(place % 4 - right, 0), 3))
                        return original[y * 4 + (mirrored ? 3 - x : x)]
                    }
                }
                let moves = [0, 1].flatMap { mirror in
                    (-1...1).flatMap { down in (-1...1).map { [mirror, down, $0] } }
                }
                let matches = moves.filter { moved($0[0] == 1, $0[1], $0[2]) == got }
                #expect(!matches.isEmpty)
                kinds.formUnion(matches.map { [$0[0], $0[2]] })
            }
        }
        #expect(kinds.count == 6)
    }

    @Test func calibrationBatchesAreFixedAndPlain() {
        let source = source(flip: true, shift: 2)
        let batches = (0..<3).map { source.calibrationBatch(number: $0, of: 3, size: 4) }
        #expect(Set(batches.flatMap(numbers)) == Set(0..<12))
        for batch in batches {
            for (sample, number) in numbers(batch).enumerated() {
                #expect(batch.images.rows(sample..<sample + 1).array == plain(number))
                #expect(batch.labels[sample] == number % 3)
            }
        }
        let part = batches[1].samples(1..<3)
        #expect(part.labels == Array(batches[1].labels[1..<3]) && numbers(part) == Array(numbers(batches[1])[1..<3]))
    }

    @Test func theLossIsTheMeanCrossEntropy() throws {
        let network = try SmallClassifier()
        network.initialize(seed: 4)
        let batch = source().batch(step: 0)
        let logits = Autograd.withoutRecording { network.logits(of: Variable(batch.images)).value }
        let expected = (0..<5).reduce(0.0) { sum, sample in
            let row = logits.rows(sample..<sample + 1).array.map(Double.init)
            return sum + log(row.reduce(0) { $0 + exp($1) }) - row[batch.labels[sample]]
        }
        let loss = Classification().loss(of: network, on: batch, teacher: nil, dropout: nil)
        #expect(close(Double(loss.value.scalar), expected / 5, 1e-6))
    }

    /// A random crop of the picture with black around it.
    @Test func cropsAreCutOutOfBlack() {
        let source = LabelledBatches(
            TrainingImages(Self.dataset, batchSize: 12, seed: 2, flip: false, maximumShift: 2, border: .black))
        let originals = (0..<12).map(plain)
        var moves: Set<[Int]> = []
        for step in 0..<10 {
            let batch = source.batch(step: step)
            for sample in 0..<12 {
                let got = batch.images.rows(sample..<sample + 1).array
                let found = (-2...2).flatMap { down in (-2...2).map { [down, $0] } }.filter { move in
                    originals.contains { original in
                        got.indices.allSatisfy { place in
                            let (y, x) = (place / 4 - move[0], place % 4 - move[1])
                            let isInside = (0..<4).contains(y) && (0..<4).contains(x)
                            return got[place] == (isInside ? original[y * 4 + x] : -1)
                        }
                    }
                }
                #expect(!found.isEmpty)
                moves.formUnion(found)
            }
        }
        #expect(moves.count == 25)
    }

    /// Smoothed targets, and a teacher's logits at a temperature, by their formulas.
    @Test func smoothedTargetsAndImitationAreWhatTheirFormulasSay() throws {
        let (network, teacher) = (try SmallClassifier(), try SmallClassifier())
        network.initialize(seed: 4)
        teacher.initialize(seed: 9)
        let batch = source().batch(step: 0)
        func rows(_ network: SmallClassifier) -> [[Double]] {
            let logits = Autograd.withoutRecording { network.logits(of: Variable(batch.images)).value }
            return (0..<5).map { logits.rows($0..<$0 + 1).array.map(Double.init) }
        }
        func logarithms(_ row: [Double], _ temperature: Double) -> [Double] {
            let scaled = row.map { $0 / temperature }
            let total = log(scaled.reduce(0) { $0 + exp($1) })
            return scaled.map { $0 - total }
        }
        var (own, divergence) = (0.0, 0.0)
        for (sample, (mine, theirs)) in zip(rows(network), rows(teacher)).enumerated() {
            for (k, logarithm) in logarithms(mine, 1).enumerated() {
                own -= ((k == batch.labels[sample] ? 0.8 : 0) + 0.2 / 3) * logarithm / 5
            }
            for (p, q) in zip(logarithms(mine, 2), logarithms(theirs, 2)) { divergence += exp(q) * (q - p) / 5 }
        }
        func loss(_ task: Classification<SmallClassifier>, _ teacher: SmallClassifier?) -> Double {
            Double(task.loss(of: network, on: batch, teacher: teacher, dropout: nil).value.scalar)
        }
        #expect(close(loss(Classification(labelSmoothing: 0.2), nil), own, 1e-6))
        let both = Classification<SmallClassifier>(labelSmoothing: 0.2, distillation: 0.3, temperature: 2)
        #expect(close(loss(both, teacher), 0.7 * own + 0.3 * 4 * divergence, 1e-5))
        // Imitating itself is no loss.
        #expect(abs(loss(Classification(distillation: 1, temperature: 4), network)) < 1e-5)
    }

    @Test func theSameTrainerLearnsToClassify() throws {
        let network = try SmallClassifier()
        network.initialize(seed: 4)
        var configuration = TrainingConfiguration()
        (configuration.learningRate, configuration.ema) = (0.05, 0)
        let trainer = try Trainer(
            Classification(), network: network, batches: source(), configuration: configuration)
        for _ in 0..<300 { try trainer.advance() }
        let all = source().calibrationBatch(number: 0, of: 1, size: 12)
        let logits = Autograd.withoutRecording { network.logits(of: Variable(all.images)).value }
        for sample in 0..<12 {
            let row = logits.rows(sample..<sample + 1).array
            #expect(row.firstIndex(of: row.max() ?? 0) == all.labels[sample])
        }
    }
}

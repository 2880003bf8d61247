import Layers
import Pruning
import TensorCore
import Testing
import Training

@Suite struct EvidenceTests {
    /// L = mean (w − target)² over a two-element weight, with what is asked for recorded.
    private final class Source: CalibrationSource {
        var offers: Evidence = [.gradients, .stagedGradients, .perSampleGradients]
        let weight: Variable
        var targets: [Float] = [0]
        var asked: [Int] = []

        init(_ weight: Variable) { self.weight = weight }

        private func loss(_ index: Int) -> Variable {
            asked.append(index)
            return weight.meanSquaredError(to: Tensor([targets[index], targets[index]], shape: [2]))
        }
        var batchCount: Int { targets.count }
        var stageCount: Int { targets.count }
        var sampleCount: Int { targets.count }
        func loss(batch: Int) throws -> Variable { loss(batch) }
        func loss(stage: Int) throws -> Variable { loss(stage) }
        func loss(sample: Int) throws -> Variable { loss(sample) }
    }

    private struct Setting {
        let source: Source
        let arena: ParameterArena
        let collector: EvidenceCollector
        let masks = MaskSet(values: [])

        init(_ targets: [Float]) {
            let parameter = Parameter("w", layout: .plain, axes: [nil], shape: [2], initialization: .zeros)
            parameter.load(fileValues: [3, 5])
            arena = ParameterArena([parameter])
            source = Source(parameter.variable)
            source.targets = targets
            collector = EvidenceCollector(groups: [], arena: arena, source: source)
        }
        func weights(_ flat: Tensor) -> [Float] { arena.slice(flat, 0).array }
    }

    @Test func gradientsAreMeansOverBatches() throws {
        let setting = Setting([1, 3])
        let gradient = try setting.collector.gradients(masks: setting.masks)
        // L = ½[½((3−1)² + (5−1)²) + ½((3−3)² + (5−3)²)] = 6;  ∂L/∂w = w − 2
        #expect(gradient.loss == 6)
        #expect(setting.weights(gradient.weights) == [1, 3])
    }

    @Test func stagesAreSummedUntilOneIsRefused() throws {
        let setting = Setting([1, 2, 4, 0])
        var seen: [(Double, Double)] = []
        let (sum, stages) = try setting.collector.stagedGradients(masks: setting.masks) {
            seen.append(($0, $1))
            return $0 > 2
        }
        // losses 10, 5, 1: the third ends it; ∂/∂w = (w − 1) + (w − 2)
        #expect(stages == 2)
        #expect(setting.weights(sum) == [3, 7])
        #expect(seen.map(\.0) == [10, 5, 1] && seen.map(\.1) == [10, 10, 10])
        #expect(setting.source.asked == [0, 1, 2])
    }

    @Test func squaresAreTakenSampleBySample() throws {
        let setting = Setting([2, 4])
        // gradients (1, 3) and (−1, 1): the mean square is (1, 5), the square of the mean (0, 4)
        #expect(setting.weights(try setting.collector.meanSquaredGradients(masks: setting.masks)) == [1, 5])
    }

    @Test func evidenceThatCannotBeHadIsNamed() {
        let setting = Setting([1])
        #expect {
            _ = try setting.collector.curvature(masks: setting.masks)
        } throws: { error in
            guard case EvidenceError.missing(let needed, let offered)? = error as? EvidenceError else { return false }
            return needed.contains(.curvature) && !offered.contains(.curvature) && "\(error)".contains("curvature")
        }
        let blind = EvidenceCollector(groups: [], arena: setting.arena, source: nil)
        #expect(blind.offers == .weights)
        #expect(throws: Never.self) { try blind.require(.weights) }
        #expect(throws: EvidenceError.self) { try blind.gradients(masks: setting.masks) }
        #expect(throws: EvidenceError.self) { try blind.stagedGradients(masks: setting.masks) { _, _ in true } }
        #expect(throws: EvidenceError.self) { try blind.meanSquaredGradients(masks: setting.masks) }
    }

    @Test(arguments: [Float.nan, .infinity]) func brokenWeightsAreReported(value: Float) {
        let setting = Setting([1])
        setting.arena.values.pointer[1] = value
        func expectNotFinite(_ body: () throws -> Void) {
            #expect(
                performing: body,
                throws: { error in
                    guard case EvidenceError.notFinite? = error as? EvidenceError else { return false }
                    return true
                })
        }
        expectNotFinite { _ = try setting.collector.gradients(masks: setting.masks) }
        expectNotFinite { _ = try setting.collector.stagedGradients(masks: setting.masks) { _, _ in true } }
        expectNotFinite { _ = try setting.collector.meanSquaredGradients(masks: setting.masks) }
    }

    @Test func namesOfEvidence() {
        #expect(Evidence([.weights, .perSampleGradients]).description == "weights, per-sample gradients")
        #expect(Evidence([]).names.isEmpty)
    }
}

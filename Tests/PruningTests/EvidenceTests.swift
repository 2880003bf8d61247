import Layers
import Pruning
import TensorCore
import Testing
import Training

@Suite struct EvidenceTests {
    /// A network of one weight of two elements.
    private final class TwoWeights: ChannelNetwork {
        let weight = Parameter("w", layout: .plain, axes: [nil], shape: [2], initialization: .zeros)
        let channelGroups: [ChannelGroup] = []
        let normalizations: [any ChannelNormalization] = []
        let computeTerms: [ComputeTerm] = []
        var parameters: [Parameter] { [weight] }
        func rebuilt(keeping kept: [String: [Int]]) throws -> TwoWeights { self }
    }

    /// L = mean (w − target)², with what is asked for recorded.
    private class Batches: CalibrationSource {
        let network: TwoWeights
        let targets: [Float]
        var asked: [Int] = []

        init(_ network: TwoWeights, _ targets: [Float]) {
            self.network = network
            self.targets = targets
        }

        func loss(_ index: Int) -> Variable {
            asked.append(index)
            return network.weight.effective.meanSquaredError(to: Tensor([targets[index], targets[index]], shape: [2]))
        }
        var batchCount: Int { targets.count }
        func loss(batch: Int) throws -> Variable { loss(batch) }
    }

    private final class Everything: Batches, PerSampleCalibration, StagedCalibration {
        var stageCount: Int { targets.count }
        var sampleCount: Int { targets.count }
        func loss(stage: Int) throws -> Variable { loss(stage) }
        func loss(sample: Int) throws -> Variable { loss(sample) }
    }

    private struct Setting {
        let network = TwoWeights()
        let arena: ParameterArena
        let source: Everything
        let evidence: EvidenceSource
        /// Of both elements.
        let masks: Masks

        init(_ targets: [Float], declared: [any EvidenceKind.Type]? = nil) {
            network.weight.load(fileValues: [3, 5])
            arena = ParameterArena(network.parameters)
            source = Everything(network, targets)
            evidence = EvidenceSource(network: network, arena: arena, calibration: source, declared: declared)
            masks = Masks(.weights(of: network) { _ in true })
        }
        func weights(_ flat: Tensor) -> [Float] { arena.slice(flat, 0).array }
    }

    // MARK: what is gathered

    @Test func gradientsAreMeansOverBatches() throws {
        let setting = Setting([1, 3])
        let gradient = try setting.evidence(Gradients(), at: setting.masks)
        // L = ½[½((3−1)² + (5−1)²) + ½((3−3)² + (5−3)²)] = 6;  ∂L/∂w = w − 2
        #expect(gradient.loss == 6)
        #expect(setting.weights(gradient.weights) == [1, 3])
    }

    /// L(m·w): ∂L/∂m = w·∂L/∂(m·w), and ∂L/∂w = m·∂L/∂(m·w).
    @Test func gradientsOfMasksAreWeightsTimesThoseOfWhatIsComputedWith() throws {
        let setting = Setting([1, 3])
        let whole = try setting.evidence(Gradients(), at: setting.masks)
        #expect(whole.masks.sum().values == [3, 15])
        let soft = try setting.evidence(Gradients(), at: Masks(setting.masks.space, [0.5, 0]))
        // m·w = (1.5, 0): ∂L/∂(m·w) = m·w − 2 = (−0.5, −2)
        #expect(soft.masks.sum().values == [-1.5, -10])
        #expect(setting.weights(soft.weights) == [-0.25, 0])
    }

    /// What is read by its size is so in each batch.
    @Test func whatEachBatchAddsIsKeptApart() throws {
        let setting = Setting([1, 5])
        let readings = try setting.evidence(Gradients(), at: setting.masks).masks
        // ½(w − t) = (1, 2) and (−1, 0), times w = (3, 5)
        #expect(readings.parts == [[3, 10], [-3, 0]])
        #expect(readings.sum().values == [0, 10])
        #expect(readings.sum(abs).values == [6, 10])
    }

    /// L = mean (m·w − t)² has H = m² on the diagonal, so that everything about it can be written down.
    @Test func curvatureOfAQuadraticIsTheOneWrittenDown() throws {
        let setting = Setting([1, 3])
        let curvature = try setting.evidence(Curvature(), at: setting.masks)
        // g = (1, 3), H = 1: gᵀHg = ‖g‖² = 10
        #expect(setting.weights(curvature.hessianGradient) == [1, 3])
        #expect(curvature.squaredNorm == 10 && curvature.energy == -5 && curvature.curvatureAlongGradient == 10)
        #expect(curvature.cauchyStep == 1)
        // ½‖g‖² with g_i = m_i(m_i·w_i − 2): ∂/∂m_i = g_i(2·m_i·w_i − 2) = (1·4, 3·8)
        #expect(curvature.velocities.sum().values == [4, 24])
    }

    @Test func theLossIsTheMeanOverBatches() throws {
        let setting = Setting([1, 3])
        #expect(try setting.evidence(CalibrationLoss(), at: setting.masks) == 6)
        // m·w = (1.5, 5): ½[½(0.25 + 16) + ½(2.25 + 4)]
        let masked = Masks(setting.masks.space, [0.5, 1])
        #expect(try setting.evidence(CalibrationLoss(), at: masked) == 5.625)
    }

    @Test func stagesAreSummedUntilOnesLossIsSmall() throws {
        let setting = Setting([1, 2, 4, 0])
        let staged = try setting.evidence(StagedGradients(threshold: 0.2), at: setting.masks)
        // losses 10, 5, 1: the third ends it; ∂/∂w = (w − 1) + (w − 2)
        #expect(staged.stages == 2)
        #expect(setting.weights(staged.sum) == [3, 7])
        #expect(setting.source.asked == [0, 1, 2])
    }

    /// A loss is held against the largest so far, not against the first.
    @Test func stagesAreHeldAgainstTheLargestLoss() throws {
        let setting = Setting([4, 1, 2, 4])
        // losses 1, 10, 5, 1
        let staged = try setting.evidence(StagedGradients(threshold: 0.3), at: setting.masks)
        #expect(staged.stages == 3)
        #expect(try setting.evidence(StagedGradients(threshold: 0), at: setting.masks).stages == 4)
    }

    @Test func squaresAreTakenSampleBySample() throws {
        let setting = Setting([2, 4])
        // gradients (1, 3) and (−1, 1): the mean square is (1, 5), the square of the mean (0, 4)
        #expect(setting.weights(try setting.evidence(FisherDiagonal(), at: setting.masks)) == [1, 5])
    }

    /// v·Hv of a diagonal H needs one probe only.
    @Test func theHessiansDiagonalIsExactWhereThereIsNothingBesideIt() throws {
        let setting = Setting([2, 4])
        let one = try setting.evidence(HessianDiagonal(probes: 1, seed: 3), at: setting.masks)
        #expect(setting.weights(one) == [1, 1])
        let masked = Masks(setting.masks.space, [0.5, 0])
        let many = try setting.evidence(HessianDiagonal(probes: 4, seed: 3), at: masked)
        #expect(setting.weights(many) == [0.25, 0])
    }

    // MARK: what is remembered

    @Test func whatWasGatheredIsRememberedUntilTheWeightsChange() throws {
        let setting = Setting([1, 3])
        func count(_ body: () throws -> Void) rethrows -> Int {
            setting.source.asked = []
            try body()
            return setting.source.asked.count
        }
        #expect(try count { _ = try setting.evidence(Gradients(), at: setting.masks) } == 2)
        #expect(try count { _ = try setting.evidence(Gradients(), at: setting.masks) } == 0)
        // Curvature starts from the gradients that are there.
        #expect(try count { _ = try setting.evidence(Curvature(), at: setting.masks) } == 2)

        setting.arena.values.pointer[0] = 4
        #expect(try setting.evidence(Gradients(), at: setting.masks).loss == 6)
        setting.evidence.weightsChanged()
        #expect(try setting.evidence(Gradients(), at: setting.masks).loss > 6)
    }

    @Test func otherMasksAndSettingsAreNotTheSameEvidence() throws {
        let setting = Setting([1, 2, 4])
        let half = Masks(setting.masks.space, [0.5, 1])
        let whole = try setting.evidence(Gradients(), at: setting.masks).loss
        let halved = try setting.evidence(Gradients(), at: half).loss
        #expect(whole != halved)
        #expect(try setting.evidence(Gradients(), at: setting.masks).loss == whole)
        #expect(try setting.evidence(StagedGradients(threshold: 0), at: half).stages == 3)
        #expect(try setting.evidence(StagedGradients(threshold: 0.9), at: half).stages == 1)
        #expect(try setting.evidence(StagedGradients(threshold: 0), at: half).stages == 3)
        let one = setting.weights(try setting.evidence(HessianDiagonal(probes: 1, seed: 1), at: half))
        #expect(setting.weights(try setting.evidence(HessianDiagonal(probes: 1, seed: 2), at: setting.masks)) != one)
    }

    // MARK: what is refused

    private func expectMissing(
        _ kind: any EvidenceKind.Type, hasData: Bool, sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () throws -> Void
    ) {
        #expect(
            sourceLocation: sourceLocation, performing: body,
            throws: { error in
                guard case EvidenceError.missing(kind.name, hasData)? = error as? EvidenceError else { return false }
                return "\(error)".contains(kind.name) && "\(error)".contains("no data") == !hasData
            })
    }

    @Test func evidenceThatCannotBeHadIsNamed() throws {
        let setting = Setting([1])
        let masks = setting.masks
        func source(_ calibration: (any CalibrationSource)?) -> EvidenceSource {
            EvidenceSource(network: setting.network, arena: setting.arena, calibration: calibration)
        }
        let plain = source(Batches(setting.network, [1]))
        #expect(throws: Never.self) { try plain.require([Gradients.self, Curvature.self, HessianDiagonal.self]) }
        expectMissing(StagedGradients.self, hasData: true) {
            try plain.require([Gradients.self, StagedGradients.self, FisherDiagonal.self])
        }
        expectMissing(StagedGradients.self, hasData: true) {
            _ = try plain(StagedGradients(threshold: 0), at: masks)
        }
        expectMissing(FisherDiagonal.self, hasData: true) { _ = try plain(FisherDiagonal(), at: masks) }

        let blind = source(nil)
        #expect(throws: Never.self) { try blind.require([]) }
        expectMissing(Gradients.self, hasData: false) { _ = try blind(Gradients(), at: masks) }
        expectMissing(Curvature.self, hasData: false) { _ = try blind(Curvature(), at: masks) }
        expectMissing(StagedGradients.self, hasData: false) {
            _ = try blind(StagedGradients(threshold: 0), at: masks)
        }
        expectMissing(FisherDiagonal.self, hasData: false) { _ = try blind(FisherDiagonal(), at: masks) }
        expectMissing(HessianDiagonal.self, hasData: false) {
            _ = try blind(HessianDiagonal(probes: 1, seed: 0), at: masks)
        }
        expectMissing(CalibrationLoss.self, hasData: false) { _ = try blind(CalibrationLoss(), at: masks) }
    }

    /// What a kind is made of need not be declared with it.
    @Test func whatIsNotDeclaredIsRefusedByName() throws {
        let setting = Setting([1, 3], declared: [Curvature.self])
        #expect(try setting.evidence(Curvature(), at: setting.masks).gradient.loss == 6)
        // Also where it has been gathered already.
        #expect {
            _ = try setting.evidence(Gradients(), at: setting.masks)
        } throws: { error in
            guard case EvidenceError.undeclared("gradients")? = error as? EvidenceError else { return false }
            return "\(error)".contains("gradients") && "\(error)".contains("declare")
        }
        let none = Setting([1], declared: [])
        #expect(throws: EvidenceError.self) { try none.evidence(CalibrationLoss(), at: none.masks) }
        #expect(none.source.asked.isEmpty)
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
        expectNotFinite { _ = try setting.evidence(Gradients(), at: setting.masks) }
        expectNotFinite { _ = try setting.evidence(Curvature(), at: setting.masks) }
        expectNotFinite { _ = try setting.evidence(CalibrationLoss(), at: setting.masks) }
        expectNotFinite { _ = try setting.evidence(StagedGradients(threshold: 0), at: setting.masks) }
        expectNotFinite { _ = try setting.evidence(FisherDiagonal(), at: setting.masks) }
    }

    /// They are what tables and messages call them.
    @Test func namesOfEvidence() {
        let kinds: [any EvidenceKind.Type] = [
            Gradients.self, Curvature.self, StagedGradients.self, FisherDiagonal.self, HessianDiagonal.self,
            CalibrationLoss.self,
        ]
        #expect(
            kinds.map { $0.name } == [
                "gradients", "curvature", "staged gradients", "per-sample gradients", "Hessian diagonal", "loss",
            ])
    }
}

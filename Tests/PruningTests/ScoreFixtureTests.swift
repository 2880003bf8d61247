import Pruning
import TensorCore
import Testing

/// Gradients, exact curvature and per-sample gradients of a whole U-Net against PyTorch's in float64, weight by weight.
@Suite struct ScoreFixtureTests {
    private func expectGolden(
        _ fixture: ScoreFixture, _ scores: Tensor, _ criterion: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let (cosine, norms, worst) = try fixture.compare(scores, with: criterion)
        #expect(cosine >= 0.9999, "\(criterion)", sourceLocation: sourceLocation)
        #expect(abs(norms - 1) <= 1e-4, "\(criterion)", sourceLocation: sourceLocation)
        // float32 through some thirty layers and back
        #expect(worst <= 1e-4, "\(criterion)", sourceLocation: sourceLocation)
    }

    @Test func gradientAndTaylorScores() throws {
        let fixture = try ScoreFixture()
        let gradient = try fixture.evidence(Gradients(), at: fixture.whole)
        #expect(abs(gradient.loss - (try fixture.expectedLoss)) <= 1e-5 * gradient.loss)
        try expectGolden(fixture, gradient.weights, "gradient")
        let (w, g) = (fixture.arena.values.pointer, gradient.weights.pointer)
        try expectGolden(fixture, fixture.flat { abs(w[$0] * g[$0]) }, "taylor")
        try expectGolden(fixture, fixture.flat { abs(w[$0]) }, "magnitude")
    }

    @Test func gradientFlowScoresAreExact() throws {
        let fixture = try ScoreFixture()
        let curvature = try fixture.evidence(Curvature(), at: fixture.whole)
        let (w, h) = (fixture.arena.values.pointer, curvature.hessianGradient.pointer)
        try expectGolden(fixture, fixture.flat { -w[$0] * h[$0] }, "gradient-flow")
        try expectGolden(fixture, curvature.gradient.weights, "gradient")
        let norm = fixture.arena.squaredNorm(curvature.gradient.weights)
        #expect(curvature.squaredNorm == norm && curvature.energy == -0.5 * norm)
    }

    @Test func fisherScoresComeFromPerSampleGradients() throws {
        let fixture = try ScoreFixture()
        let squares = try fixture.evidence(FisherDiagonal(), at: fixture.whole)
        let (w, s) = (fixture.arena.values.pointer, squares.pointer)
        try expectGolden(fixture, fixture.flat { 0.5 * s[$0] * w[$0] * w[$0] }, "fisher")
    }

    @Test(arguments: [2, 3]) func severalBatchesGiveTheMeanLoss(count: Int) throws {
        let fixture = try ScoreFixture()
        fixture.batchCount = count
        let curvature = try fixture.evidence(Curvature(), at: fixture.whole)
        #expect(abs(curvature.gradient.loss - (try fixture.expectedLoss)) <= 1e-5 * curvature.gradient.loss)
        try expectGolden(fixture, curvature.gradient.weights, "gradient")
        let (w, h) = (fixture.arena.values.pointer, curvature.hessianGradient.pointer)
        try expectGolden(fixture, fixture.flat { -w[$0] * h[$0] }, "gradient-flow")
    }
}

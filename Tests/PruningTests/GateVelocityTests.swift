import Pruning
import TensorCore
import Testing

/// The masks' velocity along the energy E(m) = −½‖∂L/∂w‖², e = −∂E/∂m.
@Suite struct GateVelocityTests {
    @Test func gateDerivativesAreTheSlopesOfLossAndEnergy() throws {
        let fixture = try ScoreFixture()
        let evidence = fixture.evidence
        let curvature = try evidence(Curvature(), at: fixture.whole)
        let (slopesOfLoss, velocities) = (curvature.gradient.masks.sum(), curvature.velocities.sum())

        /// Loss and ½‖g‖² with one gate moved.
        func at(_ group: Int, _ channel: Int, _ gate: Float) throws -> (loss: Double, energy: Double) {
            var masks = fixture.whole
            masks[group][channel] = gate
            let gradient = try evidence(Gradients(), at: masks)
            return (gradient.loss, 0.5 * fixture.arena.squaredNorm(gradient.weights))
        }
        let largestVelocity = velocities.values.reduce(0) { max($0, abs($1)) }
        let largestSlope = slopesOfLoss.values.reduce(0) { max($0, abs($1)) }
        for (group, width) in fixture.space.widths.enumerated() {
            let channel = group % width
            func slopes(_ step: Float) throws -> (loss: Double, energy: Double) {
                let (up, down) = (try at(group, channel, 1 + step), try at(group, channel, 1 - step))
                let width = Double((1 + step) - (1 - step))
                return ((up.loss - down.loss) / width, (up.energy - down.energy) / width)
            }
            // Two steps together cancel the differences' leading error (Richardson); float32 rounding remains.
            let (coarse, fine) = (try slopes(1.0 / 64), try slopes(1.0 / 128))
            let loss = (4 * fine.loss - coarse.loss) / 3
            let energy = (4 * fine.energy - coarse.energy) / 3
            let name = "\(fixture.space.sites[group].name)[\(channel)]"
            let (slope, velocity) = (slopesOfLoss[group][channel], velocities[group][channel])
            #expect(abs(slope - loss) <= 1e-3 * max(abs(loss), 0.05 * largestSlope), "\(name): ∂L/∂m")
            #expect(abs(velocity - energy) <= 2e-3 * max(abs(energy), 0.05 * largestVelocity), "\(name): −∂E/∂m")
        }
    }

    /// How the velocity of a gate relates to the elementwise scores S = −θ⊙(H·g) that `score` prints.
    ///
    /// Let channel k come out of layers with weights and biases θ_k ("producers"), its gate multiply what they give,
    /// and no normalisation follow whose moments would see the gate. Then W·x + b appears as m·(W·x + b): the loss
    /// depends on θ_k and m_k through u = m_k·θ_k alone, L(θ, m) = ℓ(u, ρ), ρ being all other weights. So
    ///
    ///     g_k = ∂L/∂θ_k = m_k·∂ℓ/∂u        g_ρ = ∂ℓ/∂ρ
    ///
    /// and at m = 1, by the product rule in the first and the chain rule in both,
    ///
    ///     ∂g_k/∂m_k = ∂ℓ/∂u + ℓ_uu·θ_k = g_k + H_kk·θ_k        ∂g_ρ/∂m_k = H_ρk·θ_k
    ///
    ///     e_k = −∂E/∂m_k = ⟨g, ∂g/∂m_k⟩ = ‖g_k‖² + ⟨g, H_·k·θ_k⟩ = ‖g_k‖² + Σ_{i∈k} θ_i·(H·g)_i
    ///
    /// by the symmetry of H. The scores' sum lacks the first-order term ‖g_k‖², because GraSP's energy is that of the
    /// dense gradient at the weights θ⊙m, not of the gradient with respect to the weights behind the gate:
    /// Σ_{i∈k} S_i = ‖g_k‖² − e_k. Consumers of the channel take no part: they are among ρ.
    @Test(arguments: [
        ("time_embedding.hidden", ["time_embedding.linear_1"]),
        (
            "mid_block.attentions.0.inner",
            ["mid_block.attentions.0.to_q", "mid_block.attentions.0.to_k", "mid_block.attentions.0.to_v"]
        ),
    ])
    func velocityIsTheElementwiseScoreAndTheProducersGradient(axis: String, producers: [String]) throws {
        let fixture = try ScoreFixture()
        let curvature = try fixture.evidence(Curvature(), at: fixture.whole)
        let number = try #require(fixture.space.sites.firstIndex { $0.name == axis })
        let width = fixture.space.widths[number]

        /// Σ over the weights and biases that make each channel; their outputs are the last dimension.
        func producerSums(_ quantity: (_ parameter: Int, _ element: Int) -> Double) -> [Double] {
            var sums = [Double](repeating: 0, count: width)
            for (index, parameter) in fixture.arena.parameters.enumerated() {
                guard producers.contains(where: { [$0 + ".weight", $0 + ".bias"].contains(parameter.name) }) else {
                    continue
                }
                for element in 0..<parameter.count { sums[element % width] += quantity(index, element) }
            }
            return sums
        }
        func value(_ flat: Tensor, _ index: Int, _ element: Int) -> Double {
            Double(flat.pointer[fixture.arena.ranges[index].lowerBound + element])
        }
        let (values, gradient, product) = (
            fixture.arena.values, curvature.gradient.weights, curvature.hessianGradient
        )
        let squaredGradient = producerSums { value(gradient, $0, $1) * value(gradient, $0, $1) }
        let score = producerSums { -value(values, $0, $1) * value(product, $0, $1) }
        let taylor = producerSums { value(values, $0, $1) * value(gradient, $0, $1) }
        let velocity = curvature.velocities.sum()[number]
        let slope = curvature.gradient.masks.sum()[number]
        let largest = velocity.reduce(0) { max($0, abs($1)) }
        let steepest = slope.reduce(0) { max($0, abs($1)) }
        #expect(squaredGradient.contains { $0 > 1e-3 * largest }, "the first-order term would not be noticed")
        for channel in 0..<width {
            // float32 derivatives, reached by two different routes
            #expect(
                abs(velocity[channel] - (squaredGradient[channel] - score[channel])) <= 1e-4 * largest, "\(channel)")
            #expect(abs(slope[channel] - taylor[channel]) <= 1e-4 * steepest, "\(channel)")
        }
    }
}

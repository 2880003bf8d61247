import Pruning

/// Which energy of the masks is read, and how its slope becomes a channel's priority.
///
///     gradient-norm:  E(m) = −½‖∇L‖²              e_k = −∂E/∂m_k = Σ_w g_w·∂g_w/∂m_k
///     look-ahead:     E_η(m) = L − η‖∇L‖²         e_k = −∂L/∂m_k + 2η·Σ_w g_w·∂g_w/∂m_k
///
/// by exact Hessian–vector products. The look-ahead energy is, to first order, the loss after one gradient step of size
/// η: η → 0 is Taylor's criterion, large η the gradient norm's. η is given in Cauchy steps ‖g‖²/(gᵀHg).
///
/// For weights the gradient-norm slope is GraSP's score with the sign turned, S = −θ ⊙ (H·g): a large S means that
/// removal raises ‖g‖. Where no normalisation follows, e_k = ‖g_k‖² − Σ S_i over the weights that make channel k: the
/// gate scales their gradient too, which weights alone do not show.
///
/// The calibration loss is a mean over batches, L = Σ_b L_b, and so is e_k = Σ_b e_k^b; read by its size, a priority is
/// Σ_b |e_k^b|. At a trained model the slopes of different timesteps and images cancel almost wholly, and the size of their
/// sum is chance; batches of a few images each show what the channel does to them.
struct EnergyReading {
    let energy: MaskEnergy
    let lookAhead: Double
    let reading: VelocityReading

    static let needs: Evidence = [.weights, .gradients, .curvature]

    /// Priorities of every channel (the lowest leave first) and the energy's value.
    func read(_ curvature: CurvatureEvidence) -> (priorities: [[Double]], energy: Double) {
        var velocities = curvature.velocitiesOfBatches
        var value = curvature.energy
        if energy == .lookAhead {
            let eta = lookAhead * (curvature.cauchyStep ?? 0)
            value = curvature.gradient.loss - eta * curvature.squaredNorm
            for (batch, gates) in curvature.gradient.gatesOfBatches.enumerated() {
                for group in gates.indices {
                    for (channel, slope) in gates[group].enumerated() {
                        velocities[batch][group][channel] = 2 * eta * velocities[batch][group][channel] - slope
                    }
                }
            }
        }
        if reading == .magnitude { velocities = velocities.map { $0.map { $0.map(abs) } } }
        return (velocities.summed, value)
    }

    func validate() throws {
        guard lookAhead > 0 && lookAhead.isFinite else {
            throw PrunerConfigurationError(key: "lookAhead", got: lookAhead, expected: "above 0")
        }
    }
}

/// The energy that the masks descend.
public enum MaskEnergy: String, Codable, Sendable, CaseIterable {
    /// −½‖∇L‖²: keeps what the gradient flows through.
    case gradientNorm = "gradient-norm"
    /// L − η‖∇L‖².
    case lookAhead = "look-ahead"
}

/// How the velocity e_k of a mask becomes a channel's priority.
public enum VelocityReading: String, Codable, Sendable, CaseIterable {
    /// As the flow of the published criterion has it: a channel whose removal raises the gradient norm leaves first. On
    /// the trained models tried here those are the channels that the pictures hang on (docs/RESULTS.md).
    case signed
    /// By its size in each calibration batch: a channel that the energy does not feel leaves first, whichever way it would
    /// push.
    case magnitude
}

import Files
import Pruning

/// How much an energy of the masks feels each of them.
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
/// Σ_b |e_k^b|. At a trained model the slopes of different timesteps and images cancel almost wholly, and the size of
/// their sum is chance; batches of a few images each show what the channel does to them.
public struct EnergyCriterion: ImportanceCriterion {
    public struct Configuration: PrunerConfiguration {
        public var energy = MaskEnergy.lookAhead
        /// η of the look-ahead energy, as a multiple of the Cauchy step ‖g‖²/(gᵀHg).
        public var lookAhead = 0.3
        /// How slopes are read; `signed` is the criterion as published.
        public var reading = VelocitySign.magnitude

        public init() {}

        init(energy: MaskEnergy, lookAhead: Double, reading: VelocitySign) {
            self.energy = energy
            self.lookAhead = lookAhead
            self.reading = reading
        }

        public func validate() throws {
            try require(lookAhead > 0 && lookAhead.isFinite, "look_ahead", got: lookAhead, expected: "above 0")
        }
    }

    public static let card = OneShot.card
    public static let needs: [any EvidenceKind.Type] = [Curvature.self]
    public static let scoresAreLossChanges = true

    private let configuration: Configuration

    public init(_ configuration: Configuration, seed: UInt64 = 0) { self.configuration = configuration }

    public func lossCount(of calibration: any CalibrationSource) -> Int {
        2 * calibration.batchCount
    }

    public func scores(at masks: Masks, from evidence: EvidenceSource) throws -> Scores {
        let curvature = try evidence(Curvature(), at: masks)
        let takesSize = configuration.reading == .magnitude
        func read(_ slope: Double) -> Double { takesSize ? abs(slope) : slope }
        guard configuration.energy == .lookAhead else { return curvature.velocities.sum(read) }
        let eta = eta(curvature)
        return curvature.velocities.sum(with: curvature.gradient.masks) { read(2 * eta * $0 - $1) }
    }

    public func reading(at masks: Masks, from evidence: EvidenceSource) throws -> (energy: Double?, loss: Double?) {
        let curvature = try evidence(Curvature(), at: masks)
        let loss = curvature.gradient.loss
        switch configuration.energy {
        case .gradientNorm: return (curvature.energy, loss)
        case .lookAhead: return (loss - eta(curvature) * curvature.squaredNorm, loss)
        }
    }

    private func eta(_ curvature: Curvature.Value) -> Double {
        configuration.lookAhead * (curvature.cauchyStep ?? 0)
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
public enum VelocitySign: String, Codable, Sendable, CaseIterable {
    /// As the flow of the published criterion has it: a channel whose removal raises the gradient norm leaves first. On
    /// the trained models tried here those are the channels that the pictures hang on (docs/RESULTS.md).
    case signed
    /// By its size in each calibration batch: a channel that the energy does not feel leaves first,
    /// whichever way it would push.
    case magnitude
}

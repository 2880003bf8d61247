import CKernels
import TensorCore

/// Imitation of how strongly a teacher's predictions answer to changes of the noisy image:
///
///     D = mean_b (‖J_S v_b‖² − ‖J_T v_b‖²)² / (mean_b ‖J_T v_b‖²)²,    J = ∂ε/∂x_t at the noised image
///
/// over the images b of a batch, v_b a random unit vector an image, drawn anew every step; ‖·‖² sums over pixels and
/// channels, and ε stands for whatever the model predicts. Since E_v ‖J v‖² = ‖J‖_F²/d of d pixels and channels, it is
/// second moments of the Jacobian that are matched. In units of the teacher's own moment, D and its weight mean the
/// same for every model. Timesteps count alike whatever the loss's weighting is. D is 0 of a teacher whose predictions
/// do not depend on the image.
///
/// J v is the exact tangent of the prediction along v, of teacher and student each in the pass that predicts. D's
/// gradient is exact too: with u = J_S v, ∇_w ½‖u‖² = ∇_w (uᵀ J_S v) for u held fixed, the tangent along v of ∇_w
/// (uᵀ f); `Variable.separated` has the pass that gives it together with the gradient of all other terms. Of a network
/// with ReLUs J jumps where one of them switches, and D's gradient is that between the jumps.
///
/// Based on: "2ndMatch" (IGSM), arXiv 2506.05398.
///
/// Differs from the paper: it differentiates a vector–Jacobian product ‖Jᵀv‖², whose mean over v is the same; moments
/// are relative to the teacher's, in place of sums over pixels under a fixed weight.
public struct JacobianMatching: Equatable, Sendable {
    /// λ of D beside the loss, above 0.
    public let weight: Double

    public init(weight: Double) {
        precondition(weight > 0, "Jacobians matched by \(weight)")
        self.weight = weight
    }

    /// D; a scalar.
    ///
    /// - Parameters:
    ///   - derivative: J_S v, `[B, H, W, C]`.
    ///   - reference: J_T v, of the same shape.
    public func error(of derivative: Variable, to reference: Tensor) -> Variable {
        let wanted = Self.moments(of: reference)
        let mean = wanted.reduce(0, +) / Double(max(wanted.count, 1))
        guard mean > 0 else { return Variable(Tensor(zeros: [])) }
        return derivative.multiplied(by: derivative).summed(over: .pixels).summed(over: .last)
            .scaled(by: Float(1 / mean))
            .meanSquaredError(to: Tensor(wanted.map { Float($0 / mean) }, shape: [wanted.count]))
    }

    /// ‖x‖² of each image.
    private static func moments(of images: Tensor) -> [Double] {
        let size = images.count / max(images.shape[0], 1)
        return (0..<images.shape[0]).map { dk_dot(images.pointer + $0 * size, images.pointer + $0 * size, size) }
    }
}

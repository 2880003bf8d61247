import CKernels
import TensorCore

/// Images `[B, …]`, each at its own timestep of 0..<T.
extension NoiseSchedule {
    /// x_t = √ᾱ_t·x₀ + √(1−ᾱ_t)·ε.
    public func noised(_ clean: Tensor, with noise: Tensor, timesteps: [Int]) -> Tensor {
        combined(clean, noise, timesteps) { (signalCoefficient(at: $0), noiseCoefficient(at: $0)) }
    }

    /// v = √ᾱ_t·ε − √(1−ᾱ_t)·x₀: what a `velocity` network learns.
    public func velocity(_ clean: Tensor, with noise: Tensor, timesteps: [Int]) -> Tensor {
        combined(clean, noise, timesteps) { (-noiseCoefficient(at: $0), signalCoefficient(at: $0)) }
    }

    /// a_t·clean + b_t·noise, (a_t, b_t) rounded to `Float` once an image.
    private func combined(
        _ clean: Tensor, _ noise: Tensor, _ timesteps: [Int], _ coefficients: (Int) -> (Double, Double)
    ) -> Tensor {
        precondition(
            clean.shape == noise.shape && clean.shape.first == timesteps.count,
            "images \(clean.shape) and noise \(noise.shape) at \(timesteps.count) timesteps")
        let result = Tensor(uninitialized: clean.shape)
        let size = result.count / max(timesteps.count, 1)
        for (image, timestep) in timesteps.enumerated() {
            let (a, b) = coefficients(timestep)
            let offset = image * size
            dk_linear_combination(
                Float(a), clean.pointer + offset, Float(b), noise.pointer + offset, size, result.pointer + offset, 0)
        }
        return result
    }
}

import Diffusion
import Foundation
import Models
import TensorCore

/// Noise from a file: `initial` [N,C,H,W] and, for samplers that draw any, `step_noise` [steps,N,C,H,W].
struct NoiseFile {
    let noise: GivenNoise
    let count: Int

    init(_ url: URL, model: UNet, sampler: any Sampler) throws {
        let file = try TensorFile(url)
        let channels = model.configuration.inChannels
        let initial = try file.images("initial", channels: channels)
        count = initial.shape[0]
        let imageShape = [count, channels] + model.size
        guard Array(initial.shape[1...2]) == model.size else {
            throw TensorFileError.wrongShape(
                file: file.path, name: "initial", got: try file.shape("initial"), expected: "\(imageShape)")
        }
        let stepCount = sampler.timesteps.count
        guard (0..<stepCount).contains(where: sampler.drawsNoise) else {
            noise = GivenNoise(initial: initial)
            return
        }
        let shape = try file.shape("step_noise")
        guard shape == [stepCount] + imageShape else {
            throw TensorFileError.wrongShape(
                file: file.path, name: "step_noise", got: shape, expected: "\([stepCount] + imageShape)")
        }
        let values = try file.finiteFloats("step_noise")
        let size = initial.count
        noise = GivenNoise(
            initial: initial,
            steps: (0..<stepCount).map {
                Tensor(channelsFirst: Array(values[($0 * size)..<(($0 + 1) * size)]), shape: imageShape)
            })
    }
}

/// What a probe did to the model.
struct SensitivityReading: Codable, Equatable {
    let kind: SensitivityProbe.Kind
    let name: String
    let ratio: Double
    /// At each timestep: mean over images and elements of (ε_dense − ε_narrowed)².
    let epsilonByTimestep: [Double]
    /// Mean over pictures drawn from the same noise; nil where none are, or they are smaller than SSIM's window.
    let ssim: Double?

    /// Over all timesteps.
    var epsilon: Double { epsilonByTimestep.reduce(0, +) / Double(max(epsilonByTimestep.count, 1)) }

    private enum CodingKeys: String, CodingKey {
        case kind, name, ratio, ssim
        case epsilonByTimestep = "epsilon_mse_by_timestep"
    }
}

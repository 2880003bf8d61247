/// What a random stream is for: the name that keeps, say, dropout from changing the initial noise.
///
/// The name's UTF-8 bytes go through 64-bit FNV-1a, so a stream depends on the spelling alone: renaming a purpose
/// changes every result drawn under it.
public struct RandomPurpose: RawRepresentable, Hashable, Sendable, Codable, ExpressibleByStringLiteral {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }
    public init(stringLiteral value: String) { rawValue = value }

    /// The noise a sampler starts from; index = image.
    public static let initialNoise: RandomPurpose = "initial-noise"
    /// The noise a stochastic sampler adds between steps; index = image.
    public static let stepNoise: RandomPurpose = "step-noise"
    /// The noise added to training images; index = training step.
    public static let trainingNoise: RandomPurpose = "training-noise"
    /// The timesteps of a training batch; index = training step.
    public static let trainingTimestep: RandomPurpose = "training-timestep"
    /// The order in which a data set is visited; index = epoch.
    public static let dataOrder: RandomPurpose = "data-order"
    /// The order in which trajectories are learned from; index = step of the chains, pass by pass.
    public static let chainOrder: RandomPurpose = "chain-order"
    /// The order of the timesteps of trajectories; index = round through them.
    public static let chainTimesteps: RandomPurpose = "chain-timesteps"
    /// The order in which the batches of a lot come again; index = lot times passes, plus pass.
    public static let batchRepetition: RandomPurpose = "batch-repetition"
    /// Random flips and crops; index = training step.
    public static let augmentation: RandomPurpose = "augmentation"
    /// Which elements dropout zeroes; index = training step.
    public static let dropout: RandomPurpose = "dropout"
    /// First values of weights; index = parameter number.
    public static let weightInitialization: RandomPurpose = "weight-initialization"
    /// Calibration batches, their noise and their timesteps; index = sample.
    public static let calibration: RandomPurpose = "calibration"
    /// Probe vectors of stochastic trace and diagonal estimates; index = probe.
    public static let probe: RandomPurpose = "probe"
    /// The directions that a loss takes derivatives along; index = training step.
    public static let direction: RandomPurpose = "direction"
    /// Random importance scores; index = group.
    public static let importance: RandomPurpose = "importance"
    /// Stochastic masks; index = training step.
    public static let mask: RandomPurpose = "mask"

    /// 64-bit FNV-1a of the name's UTF-8 bytes.
    var hash: UInt64 {
        rawValue.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }
}

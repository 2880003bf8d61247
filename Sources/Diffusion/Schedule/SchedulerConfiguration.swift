/// The content of a diffusers `scheduler_config.json`, as of diffusers 0.42.1: all of DDPMScheduler and DDIMScheduler,
/// and of other classes what DDPM or DDIM take over from it.
///
/// `Codable`: keys missing from the file take diffusers' defaults, keys not known are ignored
/// (`SchedulerReading` lists them), values out of range throw a `SchedulerError` that names the key. Encoding writes
/// every key of the class and no other.
public struct SchedulerConfiguration: Equatable, Sendable {
    /// The most training timesteps accepted: far above any in use, low enough to hold in memory.
    public static let trainTimestepsLimit = 1_000_000

    public var schedulerClass: SchedulerClass = .ddpm
    /// `_diffusers_version` as read.
    public var diffusersVersion = "0.42.1"
    /// T, at least 1.
    public var trainTimesteps = 1000
    public var betaStart = 0.0001
    public var betaEnd = 0.02
    public var betaSchedule = BetaSchedule.linear
    /// One β a training timestep, in place of `betaSchedule`.
    public var trainedBetas: [Double]?
    /// Read and written for DDPM.
    public var varianceType = VarianceType.fixedSmall
    /// Clips the estimate of x₀ to ±`clipSampleRange`, unless `thresholding`.
    public var clipSample = true
    public var clipSampleRange = 1.0
    public var predictionType = PredictionType.epsilon
    /// Clips the estimate of x₀ to a quantile of its absolute values, image by image, and rescales it (Imagen).
    public var thresholding = false
    /// The quantile, 0 … 1.
    public var dynamicThresholdingRatio = 0.995
    /// The most the quantile may be.
    public var sampleMaxValue = 1.0
    public var timestepSpacing = TimestepSpacing.leading
    /// Added to every timestep of `leading` spacing; 0 ..< T.
    public var stepsOffset = 0
    /// Moves the schedule so that the last timestep is pure noise (Lin 2023).
    public var rescaleBetasZeroSNR = false
    /// Read and written for DDIM: whether the last step ends at ᾱ = 1, or at ᾱ of timestep 0.
    public var setAlphaToOne = true

    /// diffusers' defaults.
    public init() {}

    /// The defaults of a class.
    public init(of schedulerClass: SchedulerClass) {
        self.schedulerClass = schedulerClass
        (betaStart, betaEnd, betaSchedule) = schedulerClass.defaultBetas
    }

    /// Where the noise schedule comes from, by the file's keys and words: "beta_schedule linear from 0.0001 to 0.02".
    public var betaSummary: String {
        let rescaled = rescaleBetasZeroSNR ? ", \(SchedulerKey.rescaleBetasZeroSNR.rawValue)" : ""
        guard trainedBetas == nil else { return SchedulerKey.trainedBetas.rawValue + rescaled }
        let range = [.linear, .scaledLinear, .sigmoid].contains(betaSchedule) ? " from \(betaStart) to \(betaEnd)" : ""
        return "\(SchedulerKey.betaSchedule.rawValue) \(betaSchedule.rawValue)\(range)\(rescaled)"
    }

    /// Throws `SchedulerError.invalidValue` for the first value out of range.
    public func validate() throws {
        func require(_ condition: Bool, _ key: SchedulerKey, _ got: Any, _ expected: String) throws {
            guard condition else {
                let got = (got as? Double)?.plain ?? "\(got)"
                throw SchedulerError.invalidValue(key: key.rawValue, got: got, expected: expected)
            }
        }
        let limit = Self.trainTimestepsLimit
        try require(
            (1...limit).contains(trainTimesteps), .trainTimesteps, trainTimesteps, "an integer from 1 to \(limit)")
        try require(betaStart.isFinite, .betaStart, betaStart, "a finite number")
        try require(betaEnd.isFinite, .betaEnd, betaEnd, "a finite number")
        if let trainedBetas {
            try require(
                trainedBetas.count == trainTimesteps, .trainedBetas, "a list of \(trainedBetas.count)",
                "\(trainTimesteps) numbers (\(SchedulerKey.trainTimesteps.rawValue))")
        }
        try require(
            clipSampleRange.isFinite && clipSampleRange > 0, .clipSampleRange, clipSampleRange, "a number above 0")
        try require(
            (0...1).contains(dynamicThresholdingRatio), .dynamicThresholdingRatio, dynamicThresholdingRatio,
            "a number from 0 to 1")
        try require(
            sampleMaxValue.isFinite && sampleMaxValue > 0, .sampleMaxValue, sampleMaxValue, "a number above 0")
        try require(
            (0..<trainTimesteps).contains(stepsOffset), .stepsOffset, stepsOffset,
            "an integer from 0 to \(trainTimesteps - 1)")
    }
}

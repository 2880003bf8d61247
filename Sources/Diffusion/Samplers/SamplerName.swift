/// The samplers there are, by the names users type.
public enum SamplerName: String, Codable, Sendable, CaseIterable {
    case ddpm, ddim

    /// The one that the scheduler's class stands for: DDIM for a class of which only the noise schedule is used.
    public init(of configuration: SchedulerConfiguration) {
        switch configuration.schedulerClass {
        case .ddpm: self = .ddpm
        default: self = .ddim
        }
    }

    /// As many steps as diffusers' pipelines take unless told otherwise (`DDPMPipeline` 1000, `DDIMPipeline` 50), but
    /// no more than there are training timesteps.
    public func usualSteps(_ configuration: SchedulerConfiguration) -> Int {
        switch self {
        case .ddpm: min(1000, configuration.trainTimesteps)
        case .ddim: min(50, configuration.trainTimesteps)
        }
    }

    /// A sampler over the schedule that `configuration` describes, of whichever scheduler class it is.
    ///
    /// - Parameters:
    ///   - configuration: the scheduler's.
    ///   - steps: 1 … T.
    ///   - spacing: in place of the configuration's.
    ///   - eta: DDIM's η, 0 … 1. DDPM has none.
    /// - Throws: `SchedulerError`, `SamplerError`.
    public func makeSampler(
        _ configuration: SchedulerConfiguration, steps: Int, spacing: TimestepSpacing? = nil, eta: Double = 0
    ) throws -> any Sampler {
        switch self {
        case .ddpm:
            // Taking an η and not using it would hide a mistake.
            guard eta == 0 else { throw SamplerError.etaWithoutUse(got: eta) }
            return try DDPMSampler(configuration, steps: steps, spacing: spacing)
        case .ddim:
            return try DDIMSampler(configuration, steps: steps, spacing: spacing, eta: eta)
        }
    }
}

import Configuration
import Files

/// What a dense model draws for the fine-tuning of a pruned one: of the section `recovery` the keys `generated…`.
public struct GenerationConfiguration: ConfigurationSection, Equatable {
    /// How what is drawn is learned from.
    public enum Kind: String, Codable, Sendable, CaseIterable {
        case none
        /// As a data set: pictures, noised afresh to any timestep.
        case images
        /// Point by point: x_t on the way from noise to a picture, where what the model predicts is known.
        case trajectories
    }

    public var generated = Kind.none
    /// Pictures, or trajectories, that are drawn at a time; nil for 1024 pictures or 256 trajectories.
    public var generatedCount: Int?
    /// Steps of DDIM that each is drawn in.
    public var generatedSteps = 20
    /// How often each picture, or point of a trajectory, is learned from before others are drawn; 0 for as often as
    /// there are steps, nil for 0 with pictures and 1 with trajectories.
    public var generatedPasses: Int?
    /// Share of the steps that are made on what is drawn, the others being made on the data set; nil for half of them,
    /// or for all where there is no data set.
    public var generatedShare: Double?

    public init() {}

    /// With null for what is left open, so that every key is there to be overridden.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(generated, forKey: .generated)
        try container.encode(generatedCount, forKey: .generatedCount)
        try container.encode(generatedSteps, forKey: .generatedSteps)
        try container.encode(generatedPasses, forKey: .generatedPasses)
        try container.encode(generatedShare, forKey: .generatedShare)
    }

    public func validate() throws {
        if let count = generatedCount {
            try require((1...1_000_000).contains(count), "generated_count", got: count, expected: "1...1000000")
        }
        try require((1...1000).contains(generatedSteps), "generated_steps", got: generatedSteps, expected: "1...1000")
        if let passes = generatedPasses {
            try require((0...1_000_000).contains(passes), "generated_passes", got: passes, expected: "0...1000000")
        }
        if let share = generatedShare {
            try require(share > 0 && share <= 1, "generated_share", got: share, expected: "in (0, 1]")
        }
    }

    /// With nothing left open.
    ///
    /// - Parameter hasData: whether there is a data set.
    /// - Throws: `SettingError` where steps are to be made on a data set that is not there.
    public func resolved(hasData: Bool) throws -> GenerationConfiguration {
        guard generated != .none else { return self }
        var resolved = self
        let isPictures = generated == .images
        resolved.generatedCount = generatedCount ?? (isPictures ? 1024 : 256)
        resolved.generatedPasses = generatedPasses ?? (isPictures ? 0 : 1)
        resolved.generatedShare = generatedShare ?? (hasData ? 0.5 : 1)
        try require(
            hasData || resolved.generatedShare == 1, "generated_share", got: generatedShare ?? 1,
            expected: "1, or images (--data) for the other steps")
        return resolved
    }
}

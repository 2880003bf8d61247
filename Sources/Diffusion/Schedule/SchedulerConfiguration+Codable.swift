import Files

/// The keys of `scheduler_config.json`.
enum SchedulerKey: String, CaseIterable, CodingKey {
    case className = "_class_name"
    case diffusersVersion = "_diffusers_version"
    case trainTimesteps = "num_train_timesteps"
    case betaStart = "beta_start"
    case betaEnd = "beta_end"
    case betaSchedule = "beta_schedule"
    case trainedBetas = "trained_betas"
    case varianceType = "variance_type"
    case clipSample = "clip_sample"
    case clipSampleRange = "clip_sample_range"
    case predictionType = "prediction_type"
    case thresholding = "thresholding"
    case dynamicThresholdingRatio = "dynamic_thresholding_ratio"
    case sampleMaxValue = "sample_max_value"
    case timestepSpacing = "timestep_spacing"
    case stepsOffset = "steps_offset"
    case rescaleBetasZeroSNR = "rescale_betas_zero_snr"
    case setAlphaToOne = "set_alpha_to_one"
}

extension SchedulerConfiguration: Codable {
    public init(from decoder: any Decoder) throws {
        self = try SchedulerConfigurationFile(from: decoder).configuration
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: SchedulerKey.self)
        try container.encode(schedulerClass, forKey: .className)
        try container.encode(diffusersVersion, forKey: .diffusersVersion)
        try container.encode(trainTimesteps, forKey: .trainTimesteps)
        try container.encode(betaStart, forKey: .betaStart)
        try container.encode(betaEnd, forKey: .betaEnd)
        try container.encode(betaSchedule, forKey: .betaSchedule)
        // diffusers writes null for no betas, and so must this.
        try container.encode(trainedBetas, forKey: .trainedBetas)
        try container.encode(clipSample, forKey: .clipSample)
        try container.encode(clipSampleRange, forKey: .clipSampleRange)
        try container.encode(predictionType, forKey: .predictionType)
        try container.encode(thresholding, forKey: .thresholding)
        try container.encode(dynamicThresholdingRatio, forKey: .dynamicThresholdingRatio)
        try container.encode(sampleMaxValue, forKey: .sampleMaxValue)
        try container.encode(timestepSpacing, forKey: .timestepSpacing)
        try container.encode(stepsOffset, forKey: .stepsOffset)
        try container.encode(rescaleBetasZeroSNR, forKey: .rescaleBetasZeroSNR)
        switch schedulerClass {
        case .ddpm: try container.encode(varianceType, forKey: .varianceType)
        default: try container.encode(setAlphaToOne, forKey: .setAlphaToOne)
        }
    }
}

/// A decoded configuration together with what deserves a word to the user.
struct SchedulerConfigurationFile: Decodable {
    let configuration: SchedulerConfiguration
    let warnings: [String]

    /// What an error says was got where no decoder can tell: a number that is not finite, or too large.
    static let unreadable = "not finite"

    init(from decoder: any Decoder) throws {
        let reader = try SchedulerKeyReader(decoder)
        var read = SchedulerConfiguration()
        try reader.choice(.className, into: &read.schedulerClass)
        (read.betaStart, read.betaEnd, read.betaSchedule) = read.schedulerClass.defaultBetas
        try reader.value(.diffusersVersion, "a string", into: &read.diffusersVersion)
        try reader.value(.trainTimesteps, "an integer", into: &read.trainTimesteps)
        try reader.value(.betaStart, "a number", into: &read.betaStart)
        try reader.value(.betaEnd, "a number", into: &read.betaEnd)
        try reader.choice(.betaSchedule, into: &read.betaSchedule)
        if try !reader.isNull(.trainedBetas) {
            var betas: [Double] = []
            try reader.value(.trainedBetas, "null or a list of numbers", into: &betas)
            read.trainedBetas = betas
        }
        // Elsewhere the key means something else, or nothing.
        if read.schedulerClass.drawsHere { try reader.choice(.varianceType, into: &read.varianceType) }
        try reader.value(.clipSample, "true or false", into: &read.clipSample)
        try reader.value(.clipSampleRange, "a number", into: &read.clipSampleRange)
        try reader.choice(.predictionType, into: &read.predictionType)
        try reader.value(.thresholding, "true or false", into: &read.thresholding)
        try reader.value(.dynamicThresholdingRatio, "a number", into: &read.dynamicThresholdingRatio)
        try reader.value(.sampleMaxValue, "a number", into: &read.sampleMaxValue)
        try reader.choice(.timestepSpacing, into: &read.timestepSpacing)
        try reader.value(.stepsOffset, "an integer", into: &read.stepsOffset)
        try reader.value(.rescaleBetasZeroSNR, "true or false", into: &read.rescaleBetasZeroSNR)
        try reader.value(.setAlphaToOne, "true or false", into: &read.setAlphaToOne)
        try read.validate()
        configuration = read
        warnings = (read.schedulerClass.drawsHere ? reader.unknownKeys.map(Self.ignored) : []) + Self.remarks(on: read)
    }

    private static func ignored(_ key: String) -> String {
        let nearest = Spelling.nearest(to: key, among: SchedulerKey.allCases.map(\.rawValue))
        return "scheduler configuration: key \(Quoted(key)) is not known and is ignored"
            + (nearest.map { "; did you mean '\($0)'?" } ?? "")
    }

    /// What is not as in diffusers.
    private static func remarks(on read: SchedulerConfiguration) -> [String] {
        var remarks: [String] = []
        if !read.schedulerClass.drawsHere {
            remarks.append(
                "the noise schedule and prediction type of \(read.schedulerClass.rawValue) are taken; pictures are "
                    + "drawn by the steps of DDIM or DDPM over the same schedule")
        }
        if read.timestepSpacing == .quadratic {
            remarks.append("timestep_spacing quad is not known to diffusers")
        }
        if read.schedulerClass == .ddim, read.trainedBetas == nil, [.sigmoid, .laplace].contains(read.betaSchedule) {
            remarks.append("beta_schedule \(read.betaSchedule.rawValue) is refused by diffusers' DDIMScheduler")
        }
        return remarks.map { "scheduler configuration: " + $0 }
    }
}

/// Reads keys of a JSON object, turning what does not fit into errors that name the key.
private struct SchedulerKeyReader {
    private let container: KeyedDecodingContainer<SchedulerKey>
    /// Sorted.
    let unknownKeys: [String]

    init(_ decoder: any Decoder) throws {
        container = try decoder.container(keyedBy: SchedulerKey.self)
        let all = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
        unknownKeys = all.filter { SchedulerKey(rawValue: $0) == nil }.sorted()
    }

    /// Missing counts as null.
    func isNull(_ key: SchedulerKey) throws -> Bool {
        try !container.contains(key) || container.decodeNil(forKey: key)
    }

    /// Leaves `target` alone when the key is missing.
    func value<Value: Decodable>(_ key: SchedulerKey, _ expected: String, into target: inout Value) throws {
        guard container.contains(key) else { return }
        do {
            target = try container.decode(Value.self, forKey: key)
        } catch {
            throw SchedulerError.invalidValue(key: key.rawValue, got: found(key), expected: expected)
        }
    }

    /// Leaves `target` alone when the key is missing.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: SchedulerKey, into target: inout Choice
    ) throws {
        let names = Choice.allCases.map(\.rawValue)
        var name = target.rawValue
        try value(key, Spelling.choice(of: names, got: nil), into: &name)
        guard let choice = Choice(rawValue: name) else {
            throw SchedulerError.invalidValue(
                key: key.rawValue, got: found(key), expected: Spelling.choice(of: names, got: name))
        }
        target = choice
    }

    /// What the key holds, in words short enough for an error line.
    private func found(_ key: SchedulerKey) -> String {
        if let text = try? container.decode(String.self, forKey: key) { return "\"\(text.prefix(60))\"" }
        if let truth = try? container.decode(Bool.self, forKey: key) { return "\(truth)" }
        if let number = try? container.decode(Double.self, forKey: key) { return number.plain }
        if (try? container.decodeNil(forKey: key)) == true { return "null" }
        if (try? container.nestedUnkeyedContainer(forKey: key)) != nil { return "a list" }
        return (try? container.nestedContainer(keyedBy: AnyKey.self, forKey: key)) != nil
            ? "an object" : SchedulerConfigurationFile.unreadable
    }
}

private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

import Files

/// What an image classifier is: `config.json`, and the section `model` of a training.
public struct ImageClassifierConfiguration: Sendable, Equatable {
    /// The name of a `ClassifierArchitecture`.
    public var architecture = "resnet20"
    /// Blocks of each stage; nil for the architecture's own.
    public var depths: [Int]?
    /// Channels of each stage's 3×3 convolutions; nil for the architecture's own.
    public var widths: [Int]?
    /// Height and width of the images.
    public var inputSize = 32
    /// 1 grey, 3 RGB.
    public var inChannels = 3
    public var numClasses = 10
    /// One name a class, in the order of the labels; empty for numbers.
    public var classNames: [String] = []
    /// What is subtracted from pixels in [0, 1]: one number for all channels, or one each.
    public var imageMean = [0.5]
    /// What they are divided by then.
    public var imageStd = [0.5]

    public init() {}

    /// The architecture with this configuration's depths and widths.
    /// - Precondition: valid.
    public var resolved: (block: ClassifierArchitecture.Block, depths: [Int], widths: [Int]) {
        guard let named = ClassifierArchitecture.named(architecture) else {
            preconditionFailure("no architecture '\(architecture)'")
        }
        return (named.block, depths ?? named.depths, widths ?? named.widths)
    }

    /// - Throws: `SettingError`.
    public func validate() throws {
        let names = ClassifierArchitecture.all.map(\.name)
        guard let named = ClassifierArchitecture.named(architecture) else {
            throw SettingError(
                key: "architecture", got: "'\(architecture.prefix(100))'",
                expected: "one of \(names.joined(separator: ", "))")
        }
        let (depths, widths) = (depths ?? named.depths, widths ?? named.widths)
        try require(
            (1...8).contains(depths.count), "depths", got: "\(depths.count) numbers", expected: "1 to 8 of them")
        try require(depths.allSatisfy { (1...200).contains($0) }, "depths", got: depths, expected: "each in 1...200")
        try require(
            widths.count == depths.count, "widths", got: "\(widths.count) numbers",
            expected: "\(depths.count), one a stage")
        try require(
            widths.allSatisfy { (1...8192).contains($0) }, "widths", got: widths.prefix(16),
            expected: "each in 1...8192")
        let smallest = 1 << (named.block == .plain ? depths.count : depths.count - 1)
        try require(
            (smallest...1024).contains(inputSize), "input_size", got: inputSize,
            expected: "\(smallest)...1024, as stages halve it")
        try require(inChannels == 1 || inChannels == 3, "in_channels", got: inChannels, expected: "1 (grey) or 3 (RGB)")
        try require((2...100_000).contains(numClasses), "num_classes", got: numClasses, expected: "2...100000")
        try require(
            classNames.isEmpty || classNames.count == numClasses, "class_names", got: "\(classNames.count) names",
            expected: "\(numClasses), one a class, or none")
        for (key, list, isLegal) in [
            ("image_mean", imageMean, { (0...1).contains($0) }), ("image_std", imageStd, { $0 > 1e-3 && $0 <= 10 }),
        ] as [(String, [Double], (Double) -> Bool)] {
            try require(
                [1, inChannels].contains(list.count) && list.allSatisfy(isLegal), key, got: list.prefix(8),
                expected: "1 or \(inChannels) numbers \(key == "image_mean" ? "in [0, 1]" : "in (0.001, 10]")")
        }
    }
}

/// Missing keys take their defaults.
extension ImageClassifierConfiguration: Codable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case architecture, depths, widths
        case inputSize = "input_size"
        case inChannels = "in_channels"
        case numClasses = "num_classes"
        case classNames = "class_names"
        case imageMean = "image_mean"
        case imageStd = "image_std"
    }

    /// Every key of the file that has a meaning here.
    public static var knownKeys: [String] { CodingKeys.allCases.map(\.rawValue) }

    public init(from decoder: any Decoder) throws {
        self.init()
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func read<T: Decodable>(_ key: CodingKeys, into target: inout T) throws {
            if values.contains(key) { target = try values.decode(T.self, forKey: key) }
        }
        try read(.architecture, into: &architecture)
        depths = try values.decodeIfPresent([Int].self, forKey: .depths)
        widths = try values.decodeIfPresent([Int].self, forKey: .widths)
        try read(.inputSize, into: &inputSize)
        try read(.inChannels, into: &inChannels)
        try read(.numClasses, into: &numClasses)
        try read(.classNames, into: &classNames)
        try read(.imageMean, into: &imageMean)
        try read(.imageStd, into: &imageStd)
    }

    /// With null for what the architecture says, so that every key is there.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(architecture, forKey: .architecture)
        try container.encode(depths, forKey: .depths)
        try container.encode(widths, forKey: .widths)
        try container.encode(inputSize, forKey: .inputSize)
        try container.encode(inChannels, forKey: .inChannels)
        try container.encode(numClasses, forKey: .numClasses)
        try container.encode(classNames, forKey: .classNames)
        try container.encode(imageMean, forKey: .imageMean)
        try container.encode(imageStd, forKey: .imageStd)
    }
}

import Files

/// What a feature classifier is: its architecture, and what its weights were trained on. Kept beside the weights.
public struct FeatureClassifierConfiguration: Codable, Sendable, Equatable {
    /// The name of the feature space.
    public var name: String
    /// Height and width of the images.
    public var inputSize: Int
    /// 1 grey, 3 RGB.
    public var channels: Int
    /// Channels at full resolution, then of each halving. The last is the feature dimension.
    public var widths: [Int]
    /// Groups of the normalisations; divides every width but the first, which is not normalised.
    public var normalizationGroups: Int
    /// One name a class, in the order of the labels.
    public var classNames: [String]
    /// The data set, in words.
    public var trainedOn: String
    /// The fraction of the test split that is classified correctly; nil before it was measured.
    public var testAccuracy: Double?

    public init(
        name: String, inputSize: Int, channels: Int, widths: [Int], normalizationGroups: Int, classNames: [String],
        trainedOn: String, testAccuracy: Double? = nil
    ) {
        self.name = name
        self.inputSize = inputSize
        self.channels = channels
        self.widths = widths
        self.normalizationGroups = normalizationGroups
        self.classNames = classNames
        self.trainedOn = trainedOn
        self.testAccuracy = testAccuracy
    }

    /// Every key of the file that has a meaning here.
    public static var knownKeys: [String] { CodingKeys.allCases.map(\.rawValue) }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, channels, widths
        case inputSize = "input_size"
        case normalizationGroups = "normalization_groups"
        case classNames = "class_names"
        case trainedOn = "trained_on"
        case testAccuracy = "test_accuracy"
    }

    /// - Throws: `SettingError`.
    public func validate() throws {
        try require(
            !name.isEmpty && name.utf8.count <= 100, "name", got: "'\(name.prefix(120))'",
            expected: "1 to 100 bytes of text")
        try require(
            (2...6).contains(widths.count), "widths", got: "\(widths.count) numbers", expected: "2 to 6 of them")
        try require(widths.allSatisfy { (1...512).contains($0) }, "widths", got: widths, expected: "each in 1...512")
        let halvings = 1 << (widths.count - 1)
        try require(
            (8...256).contains(inputSize) && inputSize % halvings == 0, "input_size", got: inputSize,
            expected: "a multiple of \(halvings) in 8...256")
        try require(channels == 1 || channels == 3, "channels", got: channels, expected: "1 (grey) or 3 (RGB)")
        try require(
            normalizationGroups > 0 && widths.dropFirst().allSatisfy { $0 % normalizationGroups == 0 },
            "normalization_groups", got: normalizationGroups,
            expected: "a divisor of each of \(Array(widths.dropFirst()))")
        try require(
            (2...1000).contains(classNames.count), "class_names", got: "\(classNames.count) names",
            expected: "2 to 1000 of them")
        if let testAccuracy {
            try require((0...1).contains(testAccuracy), "test_accuracy", got: testAccuracy, expected: "in [0, 1]")
        }
    }
}

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
    /// The fraction of the test split that is told right; nil before it was measured.
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

    enum CodingKeys: String, CodingKey {
        case name, channels, widths
        case inputSize = "input_size"
        case normalizationGroups = "normalization_groups"
        case classNames = "class_names"
        case trainedOn = "trained_on"
        case testAccuracy = "test_accuracy"
    }

    /// - Throws: `FeatureError.badConfiguration`, naming the key as it stands in files.
    public func validate() throws {
        func check(_ holds: Bool, _ key: CodingKeys, _ got: Any, _ expected: String) throws {
            guard holds else {
                throw FeatureError.badConfiguration(key: key.rawValue, got: "\(got)", expected: expected)
            }
        }
        try check(!name.isEmpty && name.utf8.count <= 100, .name, "'\(name.prefix(120))'", "1 to 100 bytes of text")
        try check((2...6).contains(widths.count), .widths, "\(widths.count) numbers", "2 to 6 of them")
        try check(widths.allSatisfy { (1...512).contains($0) }, .widths, widths, "each in 1...512")
        let halvings = 1 << (widths.count - 1)
        try check(
            (8...256).contains(inputSize) && inputSize % halvings == 0, .inputSize, inputSize,
            "a multiple of \(halvings) in 8...256")
        try check(channels == 1 || channels == 3, .channels, channels, "1 (grey) or 3 (RGB)")
        try check(
            normalizationGroups > 0 && widths.dropFirst().allSatisfy { $0 % normalizationGroups == 0 },
            .normalizationGroups, normalizationGroups, "a divisor of each of \(Array(widths.dropFirst()))")
        try check((2...1000).contains(classNames.count), .classNames, "\(classNames.count) names", "2 to 1000 of them")
        if let testAccuracy {
            try check((0...1).contains(testAccuracy), .testAccuracy, testAccuracy, "in [0, 1]")
        }
    }
}

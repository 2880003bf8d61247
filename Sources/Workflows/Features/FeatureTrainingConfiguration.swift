import Configuration
import Datasets
import Evaluation
import Files
import Foundation
import Models

/// What `train-features` reads: the sections `data` and `features`.
public struct FeatureTrainingConfiguration: ConfigurationSection, Equatable {
    /// Labelled images. The net learns from the train split and is measured on the test split; `limit` holds for each.
    public var data = DataConfiguration()
    public var features = FeatureTrainingSettings()

    public init() {}

    /// Reads the sections `data` and `features`.
    public init(file: URL?, overrides: [String] = []) throws {
        let defaults = Self()
        let document = try ConfigurationDocument(
            file: file, overrides: overrides, sections: ["data", "features"],
            defaults: [
                "data": JSONValue(snakeCasing: defaults.data), "features": JSONValue(snakeCasing: defaults.features),
            ])
        data = try document.section("data")
        features = try document.section("features")
    }

    public func validate() throws {
        try SettingError.within("data", data.validate)
        try SettingError.within("features", features.validate)
        guard data.split == .train else {
            throw SettingError(
                key: "data.split", got: data.split.rawValue,
                expected: "train: accuracy is measured on the test split in any case")
        }
    }
}

/// The `features` section: the net and how it is trained.
public struct FeatureTrainingSettings: ConfigurationSection, Equatable {
    /// The name of the feature space; reports carry it, so it should change whenever the net does.
    public var name = "classifier-64"
    /// The data set, in words.
    public var trainedOn = "a labelled data set"
    /// One name a class, in the order of the labels; empty for the data set's own names, or else numbers.
    public var classNames: [String] = []
    /// Height and width that images are brought to.
    public var inputSize = 32
    /// 1 grey, 3 RGB.
    public var channels = 1
    /// Channels at full resolution, then of each halving. The last is the feature dimension.
    public var widths = [16, 32, 64]
    public var normalizationGroups = 8
    public var epochs = 8
    public var batchSize = 128
    /// Adam's peak rate, which falls to 0 along a half cosine.
    public var learningRate = 1e-2
    public var warmUpSteps = 300
    /// Images are moved by up to this many pixels, at random, each way; the edge is repeated.
    public var maximumShift = 0
    public var seed = 0

    public init() {}

    public func validate() throws {
        try architecture(classNames: classNames.isEmpty ? ["0", "1"] : classNames).validate()
        try require((1...10_000).contains(epochs), "epochs", got: epochs, expected: "1...10000")
        try require((1...4096).contains(batchSize), "batch_size", got: batchSize, expected: "1...4096")
        try require(learningRate > 0 && learningRate <= 10, "learning_rate", got: learningRate, expected: "in (0, 10]")
        try require((0...1_000_000).contains(warmUpSteps), "warm_up_steps", got: warmUpSteps, expected: "0...1000000")
        try require(
            (0..<inputSize).contains(maximumShift), "maximum_shift", got: maximumShift, expected: "in 0..<\(inputSize)")
        try require(seed >= 0, "seed", got: seed, expected: "at least 0")
    }

    func architecture(classNames: [String]) -> FeatureClassifierConfiguration {
        FeatureClassifierConfiguration(
            name: name, inputSize: inputSize, channels: channels, widths: widths,
            normalizationGroups: normalizationGroups, classNames: classNames, trainedOn: trainedOn)
    }
}

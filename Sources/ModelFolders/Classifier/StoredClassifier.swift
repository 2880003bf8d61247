import Files
import Models

/// A feature classifier, and what is known of its pruning.
public struct StoredClassifier: StoredModel {
    public let model: FeatureClassifier
    /// nil for a model that was never pruned.
    public var pruning: PruningRecord?
    /// What the weights are stored as.
    public var weightTypes = WeightTypes.float32
    /// One sentence for each oddity that was overlooked on loading.
    public var warnings: [String] = []

    public init(model: FeatureClassifier, pruning: PruningRecord? = nil, warnings: [String] = []) {
        self.model = model
        self.warnings = warnings
        self.pruning = pruning
    }

    public var settings: [String: JSONValue] {
        get throws { ["configuration": try JSONValue(encoding: model.configuration)] }
    }

    public var facts: [String: JSONValue] {
        let configuration = model.configuration
        return [
            "name": .string(configuration.name),
            "image_size": [.int(configuration.inputSize), .int(configuration.inputSize)],
            "in_channels": .int(configuration.channels), "classes": .int(configuration.classNames.count),
            "features": .int(model.dimension), "trained_on": .string(configuration.trainedOn),
            "test_accuracy": configuration.testAccuracy.map { .double($0) } ?? .null,
        ]
    }

    public var summary: [(title: String, text: String)] {
        let configuration = model.configuration
        let (side, channels) = (configuration.inputSize, configuration.channels)
        let accuracy =
            configuration.testAccuracy.map { ", \($0.significant()) of its test images classified correctly" } ?? ""
        return [
            ("images", "\(side)×\(side), \(channels) \(channels == 1 ? "channel" : "channels")"),
            ("classes", "\(configuration.classNames.count), by \(model.dimension) features"),
            ("trained on", configuration.trainedOn + accuracy),
        ]
    }
}

import Files
import Models

/// An image classifier, and what is known of its pruning.
public struct StoredImageClassifier: StoredModel {
    public let model: ImageClassifier
    /// nil for a model that was never pruned.
    public var pruning: PruningRecord?
    /// What the weights are stored as.
    public var weightTypes = WeightTypes.float32
    /// One sentence for each oddity that was overlooked on loading.
    public var warnings: [String] = []

    public init(model: ImageClassifier, pruning: PruningRecord? = nil) {
        self.model = model
        self.pruning = pruning
    }

    public var settings: [String: JSONValue] {
        get throws { ["configuration": try JSONValue(encoding: model.configuration)] }
    }

    public var facts: [String: JSONValue] {
        let configuration = model.configuration
        let (_, depths, widths) = configuration.resolved
        return [
            "architecture": .string(configuration.architecture),
            "depths": .array(depths.map { .int($0) }), "widths": .array(widths.map { .int($0) }),
            "image_size": [.int(configuration.inputSize), .int(configuration.inputSize)],
            "in_channels": .int(configuration.inChannels), "classes": .int(configuration.numClasses),
        ]
    }

    public var summary: [(title: String, text: String)] {
        let configuration = model.configuration
        let (side, channels) = (configuration.inputSize, configuration.inChannels)
        let (_, depths, widths) = configuration.resolved
        func list(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: ", ") }
        return [
            ("architecture", "\(configuration.architecture), stages of \(list(depths)) blocks, \(list(widths)) wide"),
            ("images", "\(side)×\(side), \(channels) \(channels == 1 ? "channel" : "channels")"),
            ("classes", "\(configuration.numClasses)"),
        ]
    }
}

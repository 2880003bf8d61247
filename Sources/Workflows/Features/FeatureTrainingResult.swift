import Models

/// How far a training of a feature net has come.
public struct FeatureTrainingProgress: Sendable {
    /// Steps done, of `totalSteps`.
    public let step: Int
    public let totalSteps: Int
    /// Cross-entropy of the last batch.
    public let loss: Double
    public let learningRate: Double
}

/// The result of training a feature net.
public struct FeatureTrainingResult: Sendable {
    public let configuration: FeatureClassifierConfiguration
    /// The fraction of the test split that is classified correctly, and the images in it.
    public let testAccuracy: Double
    public let testCount: Int
    public let trainCount: Int
    public let parameterCount: Int
    public let seconds: Double
}

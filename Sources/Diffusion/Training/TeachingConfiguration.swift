import Configuration
import Files

/// What a model is taught by another one, its teacher, beside its own loss: of the section `recovery` the keys that
/// need a teacher.
public struct TeachingConfiguration: ConfigurationSection, Equatable {
    /// Weight λ of imitating the teacher's predictions: (1 − λ)·the loss + λ·imitation.
    public var distillation = 0.0
    /// How often each prediction of the teacher's is learned from: with 2 the teacher predicts for every second step
    /// only. At most 1 where anything else of it is imitated.
    public var predictionUses = 1
    /// Weight of imitating the teacher's features beside them (`FeatureDistillation`); 0 for none.
    public var featureDistillation = 0.0
    /// Which blocks' features these are.
    public var featureLayers = FeatureDistillation.Blocks.attention
    /// Features further than so many standard deviations from the mean are not imitated.
    public var featureOutliers = 6.0
    /// Weight of matching the second moments of the teacher's Jacobian (`JacobianMatching`); 0 for none.
    public var jacobianMatching = 0.0

    public init() {}

    /// Whether there is something of a teacher's to imitate.
    public var needsTeacher: Bool { weights.contains { $0.weight > 0 } }

    /// How much of what is imitated, by key.
    public var weights: [(key: String, weight: Double)] {
        [
            ("distillation", distillation), ("feature_distillation", featureDistillation),
            ("jacobian_matching", jacobianMatching),
        ]
    }

    /// What of a teacher's features is imitated; nil for nothing.
    public var features: FeatureDistillation? {
        guard featureDistillation > 0 else { return nil }
        return FeatureDistillation(weight: featureDistillation, blocks: featureLayers, outliers: featureOutliers)
    }

    /// Whether the second moments of the teacher's Jacobian are matched; nil for no.
    public var jacobian: JacobianMatching? {
        jacobianMatching > 0 ? JacobianMatching(weight: jacobianMatching) : nil
    }

    public func validate() throws {
        try require((0...1).contains(distillation), "distillation", got: distillation, expected: "in [0, 1]")
        try require(
            (1...1000).contains(predictionUses), "prediction_uses", got: predictionUses, expected: "1...1000")
        try require(
            predictionUses == 1 || (distillation > 0 && featureDistillation == 0 && jacobianMatching == 0),
            "prediction_uses", got: predictionUses,
            expected: distillation > 0
                ? "1 with feature_distillation or jacobian_matching, which ask the teacher at every step"
                : "1 without distillation: there are no predictions to learn from")
        try require(
            featureDistillation >= 0 && featureDistillation <= 1e6, "feature_distillation", got: featureDistillation,
            expected: "0...1000000")
        try require(
            featureOutliers > 0 && featureOutliers <= 1e6, "feature_outliers", got: featureOutliers,
            expected: "in (0, 1000000]")
        try require(
            jacobianMatching >= 0 && jacobianMatching <= 1e6, "jacobian_matching", got: jacobianMatching,
            expected: "0...1000000")
    }
}

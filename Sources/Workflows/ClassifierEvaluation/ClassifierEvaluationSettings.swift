import Datasets
import Files

/// How two classifiers are compared.
public struct ClassifierEvaluationSettings: Sendable {
    /// Labelled images; the split is the test split unless another is asked for.
    public var data = DataConfiguration()
    /// Images of the batch that is timed and whose memory is measured.
    public var timedBatch = 16

    public init() { data.split = .test }

    func validate() throws {
        try require((1...4096).contains(timedBatch), "timed_batch", got: timedBatch, expected: "1...4096")
        try SettingError.within("data", data.validate)
        guard !data.path.isEmpty else {
            throw SettingError(
                key: "data.path", got: "missing", expected: "labelled images, on which classifiers are compared")
        }
    }
}

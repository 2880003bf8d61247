import Configuration
import Training

/// The sections `training` and `finetuning` of one kind of model: the keys of every training, and those of its task.
@dynamicMemberLookup
public protocol TrainingSection: ConfigurationSection, Equatable {
    var training: TrainingConfiguration { get set }
}

extension TrainingSection {
    public subscript<Value>(dynamicMember path: WritableKeyPath<TrainingConfiguration, Value>) -> Value {
        get { training[keyPath: path] }
        set { training[keyPath: path] = newValue }
    }

    /// Fine-tuning starts gentler and is shorter than training.
    public static var finetuningDefaults: Self {
        var defaults = Self()
        defaults.training.steps = 1000
        defaults.training.batchSize = 32
        defaults.training.learningRate = 2e-4
        defaults.training.ema = 0.999
        return defaults
    }
}

import Datasets
import Files

/// Everything that defines a training run of one kind of model.
public protocol TrainingPlan {
    associatedtype Model: TrainableModel

    var data: DataConfiguration { get set }
    var training: Model.Training { get }
    /// Every section with all its keys.
    var values: JSONValue { get throws }

    /// The model with no weights yet.
    func makeModel() throws -> Model
}

extension TrainingPlan {
    public var yaml: String { get throws { try values.yaml } }
}

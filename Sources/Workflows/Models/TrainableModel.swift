import Configuration
import Datasets
import Foundation
import Imagery
import ModelFolders
import Training

/// A kind of model that is trained, pruned and fine-tuned here: what it learns, from which images, and what of that a
/// configuration sets. Runs know of a model what is said here, and no more.
public protocol TrainableModel: StoredModel {
    /// Its folders.
    associatedtype Folder: ModelFamily where Folder.Model == Self
    associatedtype Task: LearningTask where Task.Network == Network
    /// The sections `training` and `finetuning`.
    associatedtype Training: TrainingSection
    /// The section `recovery`.
    associatedtype Recovery: RecoverySection

    var weightTypes: WeightTypes { get set }

    /// The same with a network of its own.
    func copied() throws -> Self
    /// What came of it: another network, everything else as it was.
    ///
    /// - Parameters:
    ///   - model: what it has become.
    ///   - pruning: what is now known of its pruning.
    func become(_ model: Network, pruning: PruningRecord?) -> Self

    /// Tells the network what only its folder knows, as far as pruning needs it.
    func prepare()

    /// Height, width and channels of the images that it is made for.
    var imageShape: [Int] { get }
    /// The images that it learns from, as it takes them.
    /// - Throws: `SettingError` for a model that cannot learn from images, or from these; `DatasetError`.
    func images(_ data: DataConfiguration) throws -> InMemoryDataset

    /// Refuses what follows from settings and the model alone, before images are read.
    ///
    /// - Parameters:
    ///   - recovery: what a teacher, the model itself, is asked to draw.
    ///   - settings: what is learned, and how long.
    func check(_ recovery: Recovery, _ settings: Training) throws

    /// Refuses a teacher that sees other images or is to say other things of them.
    func check(teacher: Self) throws

    /// What trains the model's network where it is.
    ///
    /// - Parameters:
    ///   - images: nil where there are none, and a teacher draws what is learned from.
    ///   - data: what is said of them.
    ///   - settings: how long and how fast.
    ///   - recovery: what a teacher is asked for.
    ///   - teacher: nil where nobody is asked for anything.
    func trainer(
        on images: InMemoryDataset?, _ data: DataConfiguration, _ settings: Training, _ recovery: Recovery,
        teacher: Self?
    ) throws -> Trainer<Task>

    /// The loss that scores are read from, and batches of images for it.
    ///
    /// - Parameters:
    ///   - images: as `images` has them.
    ///   - batchSize: samples of a batch.
    ///   - seed: what chooses them.
    func judgement(
        on images: InMemoryDataset, batchSize: Int, seed: Int
    ) throws -> (task: Task, batches: any BatchSource<Task.Batch>)
    /// The same of the batch in a file.
    ///
    /// - Parameter file: safetensors; the samples' own tensors and what the loss needs beside them.
    /// - Returns: the batch, and equal parts of it, the mean of whose losses is its.
    func judgement(file: URL) throws -> (task: Task, parts: [Task.Batch], whole: Task.Batch)

    /// What is shown on the way of what the network has learned; nil for nothing.
    ///
    /// - Parameters:
    ///   - settings: say how often.
    ///   - data: where images lie that are not learned from.
    /// - Throws: what opening these throws.
    func inspection(_ settings: Training, _ data: DataConfiguration) throws -> Inspection<Network>?
}

extension TrainableModel {
    public func prepare() {}
}

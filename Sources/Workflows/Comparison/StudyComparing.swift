import Configuration
import Datasets
import Foundation
import ModelFolders
import Runs

/// The section `evaluation` of studies of one kind of model: how each pruned model is compared with the dense one, as
/// by `evaluate`, and what of that runs are held against one another by.
public protocol StudyComparing: ConfigurationSection, Equatable {
    associatedtype Model: TrainableModel

    /// What runs are compared by picture by picture, the one that decides first; higher is better.
    static var quantities: [StudyQuantity] { get }
    /// What they are compared by as a whole, the one that is shown first.
    static var readings: [StudyReading] { get }
    /// Under which circumstances: "from the same noise".
    static var circumstance: String { get }
    /// What was timed: "a sampling step".
    static var step: String { get }

    func refuseFeaturesWithoutData(_ data: DataConfiguration) throws
    /// Refuses what follows from the model alone.
    func check(_ model: Model, _ data: DataConfiguration) throws
    /// What comes after each run, for the time left.
    func following(_ data: DataConfiguration, prunedShare: Double) -> [Timetable.Stretch]
    /// Seconds that comparing takes, for one run.
    func seconds(of model: Model, _ data: DataConfiguration) throws -> Double
    /// Compares what came of a run.
    ///
    /// - Parameters:
    ///   - dense: the model that it started from.
    ///   - pruned: the folder of its result.
    ///   - data: where images lie.
    ///   - context: where the comparison goes.
    func compare(
        _ dense: LoadedModel<Model.Folder>, _ pruned: URL, _ data: DataConfiguration, in context: RunContext
    ) throws -> StudyMeasurement
    /// How it was done, for the end of a page.
    func provenance(_ data: DataConfiguration) -> [(name: String, value: String)]
}

/// What a comparison of a study found.
public struct StudyMeasurement {
    public let efficiency: EvaluationResult.Efficiency
    /// By the keys of quantities, a value a picture; nil where a picture has none.
    public let pairs: [String: [Double?]]
    /// By the keys of readings.
    public let readings: [String: Double]
    /// Of the dense model, by the same keys.
    public let denseReadings: [String: Double]
}

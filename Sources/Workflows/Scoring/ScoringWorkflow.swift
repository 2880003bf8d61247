import Datasets
import Foundation
import ModelFolders
import Pruning
import Runs
import Training
import WeightFiles

/// What to score by, and on which images.
public struct ScoringRequest: Sendable {
    public enum Images: Sendable {
        case none
        /// A file of `sample`, `noise`, `timestep` and, for a conditional model, `class_labels`; for a classifier of
        /// `sample` and `labels`.
        case batch(URL)
        /// A data set: images, noise and timesteps are chosen by the seed, timesteps spread evenly over the schedule.
        case data(DataConfiguration, batches: Int, batchSize: Int)
    }

    public var criterion: ScoreCriterion
    public var images: Images
    public var seed: Int
    /// Probe vectors of `obd`.
    public var probes: Int

    public static let defaultProbes = 64

    public init(
        _ criterion: ScoreCriterion, images: Images = .none, seed: Int = 0, probes: Int = Self.defaultProbes
    ) {
        self.criterion = criterion
        self.images = images
        self.seed = seed
        self.probes = probes
    }

    func validate() throws {
        guard seed >= 0 else { throw RequestError.invalid(option: "--seed", got: "\(seed)", expected: "at least 0") }
        guard (1...1_000_000).contains(probes) else {
            throw RequestError.invalid(option: "--probes", got: "\(probes)", expected: "1...1000000")
        }
        if case .none = images, try criterion.needsImages() {
            throw RequestError.conflict("criterion '\(criterion.name)' needs images: give --batch FILE or --data PATH")
        }
        if case .data(_, let batches, let batchSize) = images {
            guard (1...10_000).contains(batches) else {
                throw RequestError.invalid(option: "--batches", got: "\(batches)", expected: "1...10000")
            }
            guard (1...4096).contains(batchSize) else {
                throw RequestError.invalid(option: "--batch-size", got: "\(batchSize)", expected: "1...4096")
            }
        }
    }
}

/// The result of a scoring.
public struct ScoringOutcome: Sendable {
    public let tensors: Int
    public let groups: Int
    /// The loss at which the scores were taken; nil where no images were given.
    public let loss: Double?
}

/// Importance scores of every weight and channel, nothing pruned: under each weight tensor's name its elementwise
/// scores in the layout of files, and `group:<name>` with one score a channel where the criterion has such.
public struct ScoringWorkflow<Model: TrainableModel> {
    private let model: Model
    private let request: ScoringRequest
    private let output: URL
    private let progress: ProgressHandler?

    /// - Parameters:
    ///   - model: whose weights and channels are scored.
    ///   - request: by what, on which images.
    ///   - output: the file to write.
    ///   - progress: told of each loss.
    public init(_ model: Model, _ request: ScoringRequest, output: URL, progress: ProgressHandler? = nil) {
        self.model = model
        self.request = request
        self.output = output
        self.progress = progress
    }

    public func run() throws -> ScoringOutcome {
        try request.validate()
        try OutputFile.check(output)
        let model = model.model
        let criterion = try request.criterion.criterion(seed: UInt64(request.seed), probes: request.probes)
        let channels = !request.criterion.isElementwise
        let source = try source().map {
            observed($0, total: Scorer.lossCount(criterion, channels: channels, of: $0))
        }
        let arena = ParameterArena(model.parameters)
        let scores = try Scorer(
            criterion: criterion, factor: request.criterion.factor(), channels: channels, network: model,
            arena: arena, calibration: source
        ).run()

        let scored = arena.parameters.enumerated().filter { $0.element.isTrainable }
        var tensors = scored.map { index, parameter in
            NamedTensor(
                parameter.name, shape: parameter.fileShape,
                floats: parameter.fileValues(of: arena.slice(scores.weights, index)))
        }
        if let channels = scores.groups {
            tensors += zip(PrunableGroup.all(of: model), channels).map {
                NamedTensor("group:\($0.name)", shape: [$1.count], floats: $1.map { Float($0) })
            }
        }
        var metadata = ["criterion": request.criterion.name, "format": "pt"]
        if let loss = scores.loss { metadata["loss"] = "\(loss)" }
        try SafetensorsWriter.write(tensors, metadata: metadata, to: output)
        return ScoringOutcome(
            tensors: scored.count, groups: scores.groups?.count ?? 0, loss: scores.loss)
    }

    /// With progress told of each loss.
    ///
    /// - Parameter total: of losses that are taken, at most.
    private func observed(
        _ source: any CompleteCalibration, total: Int
    ) -> ObservedCalibration {
        let reporter = ProgressReporter(
            progress, Timetable([.init("loss", pieces: total, weight: 1, noun: "loss")]))
        var count = LossCount()
        return ObservedCalibration(source) { part in
            if count.taken > 0 { reporter.finished(0) }
            reporter.at(count.take(part, of: source, phase: "scoring"))
        }
    }

    private func source() throws -> (any CompleteCalibration)? {
        switch request.images {
        case .none: return nil
        case .batch(let url):
            let (task, parts, whole) = try model.judgement(file: url)
            return try TaskCalibration(task, network: model.model, batches: parts, stageBatch: whole)
        case .data(let data, let count, let size):
            let (task, batches) = try model.judgement(
                on: model.images(data), batchSize: size, seed: request.seed)
            return try TaskCalibration(
                task, network: model.model, batches: batches, count: count, batchSize: size)
        }
    }
}

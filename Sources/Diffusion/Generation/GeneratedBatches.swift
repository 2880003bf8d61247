import Datasets
import Files
import Imagery
import Training

/// Batches of what a model draws, and of a data set beside it where there is one: lot by lot, pictures that are noised
/// as those of a data set, or points of trajectories with the model's predictions.
///
/// Step s is made on what is drawn where ⌊(s + 1)·share⌋ > ⌊s·share⌋. Calibration batches are of the data set, else of
/// the pictures of lot 0, also those that trajectories lead to: at points of trajectories the model that draws has no
/// error to read a score from.
public final class GeneratedBatches<Model: Denoiser>: BatchSource, BatchSupply {
    private let drawing: TeacherDrawing<Model>
    private let count: Int
    /// Steps on a lot; nil for all there are.
    private let lotSteps: Int?
    private let share: StepShare
    private let settings: DenoisingTrainingConfiguration
    private let flip: Bool
    private let data: DenoisingBatches?
    private var isPictures: Bool { drawing.kind == .images }
    private var lot: (number: Int, content: Content)?
    /// Of lot 0.
    private var calibration: DenoisingBatches?

    private enum Content {
        case pictures(DenoisingBatches)
        case trajectories(Trajectories, TrajectoryOrder)
    }

    /// - Parameters:
    ///   - model: what draws; not to be trained as long as this is in use.
    ///   - scheduler: its noise schedule.
    ///   - plan: what is drawn, resolved.
    ///   - settings: batch size, seed, and how timesteps of pictures are drawn.
    ///   - flip: whether half the pictures, at random, are mirrored left to right.
    ///   - data: where the other steps' batches, and those for calibration, come from; nil where there is no data set.
    /// - Throws: `SettingError` for a model that cannot draw what there is to learn from; `SamplerError`,
    ///   `SchedulerError`.
    public init(
        drawnBy model: Model, _ scheduler: SchedulerConfiguration, _ plan: GenerationConfiguration,
        settings: DenoisingTrainingConfiguration, flip: Bool, data: DenoisingBatches?
    ) throws {
        guard plan.generated != .none, let count = plan.generatedCount, let passes = plan.generatedPasses,
            let share = plan.generatedShare
        else { preconditionFailure("\(plan) is not resolved") }
        drawing = try TeacherDrawing(
            model, scheduler, as: plan.generated, steps: plan.generatedSteps, seed: UInt64(settings.seed))
        self.count = count
        let samples = plan.generated == .images ? count : count * plan.generatedSteps
        lotSteps = passes == 0 ? nil : max(1, passes * samples / settings.batchSize)
        self.share = StepShare(share: share)
        (self.settings, self.flip, self.data) = (settings, flip, data)
    }

    // MARK: batches

    public func batch(step: Int) -> DenoisingBatch {
        let drawn = share.count(before: step)
        guard share.contains(step) else {
            guard let data else { preconditionFailure("step \(step) is to be made on a data set that is not there") }
            return data.batch(step: step, position: step - drawn)
        }
        let position = lotSteps.map { drawn % $0 } ?? drawn
        guard let lot, lot.number == lotSteps.map({ drawn / $0 }) ?? 0 else {
            preconditionFailure("step \(step) comes before its lot was made")
        }
        switch lot.content {
        case .pictures(let pictures): return pictures.batch(step: step, position: position)
        case .trajectories(let trajectories, var order):
            let points = order.points(position * settings.batchSize..<(position + 1) * settings.batchSize)
            // The order keeps that of the pass it is in.
            self.lot?.content = .trajectories(trajectories, order)
            return trajectories.batch(points)
        }
    }

    public func calibrationBatch(number: Int, of count: Int, size: Int) -> DenoisingBatch {
        guard let source = data ?? calibration else { preconditionFailure("calibration comes before lot 0 was made") }
        return source.calibrationBatch(number: number, of: count, size: size)
    }

    // MARK: supply

    public var supply: (any BatchSupply)? { self }
    public var noun: String { isPictures ? "picture" : "trajectory" }
    public var lotSize: Int { count }
    public var lotPieces: Int { drawing.pieces(count) }
    public var pieceSamples: Int { min(count, TeacherDrawing<Model>.batchSize) }
    public var lotBytes: Int {
        let values = drawing.model.imageShape.reduce(1, *)
        // A byte a sample; points and predictions have four. While it is made a lot has its pictures in full.
        return count * values * (isPictures ? 5 : 5 + 8 * drawing.steps)
    }

    public func lots(for steps: Range<Int>) -> Range<Int> {
        let (first, end) = (share.count(before: steps.lowerBound), share.count(before: steps.upperBound))
        guard first < end else { return 0..<0 }
        guard let lotSteps else { return 0..<1 }
        return first / lotSteps..<(end - 1) / lotSteps + 1
    }

    public func has(lot number: Int) -> Bool { lot?.number == number }
    public var canCalibrate: Bool { data != nil || calibration != nil }

    public func make(lot number: Int, progress: (Int) throws -> Void) throws {
        try make(drawing, lot: number, count: count, progress)
    }

    /// As few steps as show what one takes, of one batch.
    public func makeTrial(progress: () throws -> Void) throws {
        let steps = min(3, drawing.steps)
        let trial = try TeacherDrawing(
            drawing.model, drawing.scheduler, as: drawing.kind, steps: steps, seed: drawing.seed)
        try make(trial, lot: 0, count: pieceSamples) { _ in try progress() }
    }

    private func make(
        _ drawing: TeacherDrawing<Model>, lot number: Int, count: Int, _ progress: (Int) throws -> Void
    ) throws {
        // Two lots need not fit memory at the same time.
        lot = nil
        let content: Content
        let pictures: InMemoryDataset
        if isPictures {
            pictures = try drawing.pictures(lot: number, count: count, progress: progress)
            content = .pictures(try batches(pictures))
        } else {
            let drawn = try drawing.trajectories(lot: number, count: count, progress: progress)
            pictures = drawn.pictures
            content = .trajectories(
                drawn.trajectories, TrajectoryOrder(chains: count, steps: drawing.steps, seed: drawing.seed))
        }
        lot = (number, content)
        if number == 0, data == nil { calibration = try batches(pictures) }
    }

    private func batches(_ pictures: InMemoryDataset) throws -> DenoisingBatches {
        try DenoisingBatches(pictures, flip: flip, for: drawing.model, drawing.scheduler, settings)
    }
}

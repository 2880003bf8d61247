import TensorCore
import Training

/// Batches that come several times, so that a teacher has to predict for them only once: with what it predicts.
///
/// In lots: the batches of a lot in order, then again in an order drawn for each further pass, then the next lot.
/// Predictions of the lot are kept; those of a run that is resumed within a lot are made anew, the same to the bit.
public final class RepeatedBatches<Model: Denoiser>: BatchSource {
    private let batches: any BatchSource<DenoisingBatch>
    private let objective: DenoisingObjective
    private let teacher: Model
    private let uses: Int
    private let seed: UInt64
    /// The most batches that a lot of this training may have.
    private let limit: Int
    /// Batches of a lot, and what one takes in memory; nil before there is one to measure.
    private var lotSize: Int?
    private var batchBytes = 0
    /// Of the lot that was last asked for, by their number in it.
    private var lot: (number: Int, batches: [Int: DenoisingBatch]) = (0, [:])

    /// What the batches of a lot may take in memory, unless so few would fit that they came again at once.
    static var lotBytes: Int { 256 << 20 }
    /// The least and the most batches of a lot.
    static var lotSizes: ClosedRange<Int> { 8...256 }

    /// - Parameters:
    ///   - batches: that are learned from.
    ///   - objective: what makes noisy images of them.
    ///   - teacher: what predicts; not to be trained as long as this is in use.
    ///   - uses: how often each batch comes.
    ///   - steps: of the training: where they are few, lots are small, so that batches come again all the same.
    ///   - seed: of the training.
    public init(
        _ batches: any BatchSource<DenoisingBatch>, _ objective: DenoisingObjective, predictedBy teacher: Model,
        uses: Int, steps: Int, seed: UInt64
    ) {
        precondition(uses > 0, "batches that come \(uses) times")
        limit = max(1, (steps + uses - 1) / uses)
        self.batches = batches
        self.objective = objective
        self.teacher = teacher
        self.uses = uses
        self.seed = seed
    }

    public func batch(step: Int) -> DenoisingBatch {
        let size = lotSize(step)
        let (number, position) = (step / (size * uses), step % (size * uses))
        if lot.number != number { lot = (number, [:]) }
        let (pass, place) = (position / size, position % size)
        let index = pass == 0 ? place : order(lot: number, pass: pass, size)[place]
        if let known = lot.batches[index] { return known }
        var batch = batches.batch(step: number * size + index)
        batch.reference = Autograd.withoutRecording {
            objective.prediction(of: teacher, at: objective.noised(batch), batch).value
        }
        lot.batches[index] = batch
        return batch
    }

    public func calibrationBatch(number: Int, of count: Int, size: Int) -> DenoisingBatch {
        batches.calibrationBatch(number: number, of: count, size: size)
    }

    public var supply: (any BatchSupply)? { batches.supply }
    public var keptBytes: Int { lotSize.map { $0 * batchBytes } ?? 0 }

    /// How many batches a lot of batches of `shape` `[B, H, W, C]` has.
    static func lotSize(of shape: [Int]) -> Int {
        min(max(lotBytes / max(bytes(of: shape), 1), lotSizes.lowerBound), lotSizes.upperBound)
    }

    /// x₀, ε and the prediction.
    private static func bytes(of shape: [Int]) -> Int { 3 * MemoryLayout<Float>.stride * shape.reduce(1, *) }

    private func lotSize(_ step: Int) -> Int {
        if let lotSize { return lotSize }
        let shape = batches.batch(step: step).shape
        let size = min(Self.lotSize(of: shape), limit)
        (lotSize, batchBytes) = (size, Self.bytes(of: shape))
        return size
    }

    private func order(lot: Int, pass: Int, _ size: Int) -> [Int] {
        var stream = RandomStream(seed: seed, purpose: .batchRepetition, index: UInt64(lot * uses + pass))
        return stream.permutation(count: size)
    }
}

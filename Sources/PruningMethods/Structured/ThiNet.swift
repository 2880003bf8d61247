import Layers
import LinearAlgebra
import Pruning

/// ThiNet: channels leave whose absence the next layer notices least, chosen greedily one after the other; then each
/// channel left is scaled by least squares so that the next layer's output is what it was.
///
///     x̂_sj: what channel j adds to output sample s of a layer that reads the axis (`LayerContributions`)
///     T ← T ∪ argmin_j  Σ_s (Σ_{i∈T∪j} x̂_si)²        score_j = the error's share of Σ_s y_s² once j has left
///     w*_j ← ĉ_j · w_j,   ĉ = argmin_c Σ_s (y_s − Σ_{j∉T} c_j·x̂*_sj)²
///
/// y of the whole network, x̂* of the masked one: removing channels changes what normalisations make of those left.
///
/// Based on: Luo, Wu & Lin, "ThiNet: A Filter Level Pruning Method for Deep Neural Network Compression", ICCV 2017,
/// arXiv 1707.06342.
///
/// Differs from the paper: an axis may have several consumers, whose errors are added up, each relative to its own
/// output; all layers are chosen at once, then repaired one after the other, with no training between. Each axis keeps
/// the same share, as in the paper, unless the allocation says otherwise: ranked together, by the error at which each
/// channel leaves.
public struct ThiNet: ContributionRanking {
    public struct Configuration: ContributionConfiguration {
        /// Samples of each layer from every calibration batch.
        public var samplesPerBatch = 64
        /// Whether what is left is scaled by least squares.
        public var reconstruct = true

        public init() {}

        public func validate() throws { try validateSamples() }
    }

    public static let card = MethodCard(
        name: "thinet", family: "structured",
        summary: "removes the channels that the next layer misses least, and scales those left by least squares",
        granularities: [.channel, .block, .head, .aligned, .regular, .level], allocation: .uniform,
        paper: "Luo, Wu & Lin, 2017, arXiv 1707.06342")
    public static let needs: [any EvidenceKind.Type] = [LayerContributions.self]

    public let configuration: Configuration
    let seed: UInt64

    public init(_ configuration: Configuration, seed: UInt64) {
        self.configuration = configuration
        self.seed = seed
    }

    // MARK: choice

    func scores(gram: [Double], width: Int) -> [Double] { Self.errorsAtRemoval(gram: gram, width: width) }

    /// The relative error 1ᵀ_T·G·1_T once each channel has left, in the greedy order; never falling along it.
    static func errorsAtRemoval(gram: [Double], width: Int) -> [Double] {
        var errors = [Double](repeating: 0, count: width)
        var left = Array(0..<width)
        // Σ_{i∈T} G_ij of every channel.
        var cross = [Double](repeating: 0, count: width)
        var (error, highest) = (0.0, 0.0)
        while !left.isEmpty {
            var best = 0
            func rise(_ channel: Int) -> Double { 2 * cross[channel] + gram[channel * width + channel] }
            for index in left.indices where rise(left[index]) < rise(left[best]) { best = index }
            let channel = left.remove(at: best)
            error += rise(channel)
            highest = max(highest, error)
            errors[channel] = highest
            for other in 0..<width { cross[other] += gram[channel * width + other] }
        }
        return errors
    }

    // MARK: repair

    public mutating func reconstruct(_ masks: Masks, in context: PruningContext) throws {
        let whole = try context.evidence(evidence, at: Masks(context.space))
        for consumer in masks.consumersThatLoseInputs {
            // What layers before this one have become: repaired by what they were, two in a row would do it twice.
            let masked = try context.evidence(evidence, at: masks)
            guard let before = whole[consumer.weight], let after = masked[consumer.weight] else { continue }
            let stays = (0..<after.width).map { !consumer.removed.contains($0) }
            let factors = try Self.factors(before: before, after: after, stays: stays)
            Self.scale(consumer.weight, by: factors)
            context.evidence.weightsChanged()
        }
    }

    /// ĉ of one layer's inputs; 1 of those that have left, and of all where there are too few samples to tell.
    private static func factors(
        before: LayerContributions.Samples, after: LayerContributions.Samples, stays: [Bool]
    ) throws -> [Double] {
        let channels = stays.indices.filter { stays[$0] }
        var factors = stays.map { _ in 1.0 }
        let count = min(before.count, after.count)
        guard count > channels.count, !channels.isEmpty else { return factors }
        var matrix: [Double] = []
        matrix.reserveCapacity(count * channels.count)
        for sample in 0..<count {
            let start = sample * after.width
            matrix += channels.map { after.contributions[start + $0] }
        }
        // Small singular values are directions that the samples do not tell apart.
        let solution = try LeastSquares.solve(
            matrix, rows: count, columns: channels.count, Array(before.outputs[..<count]), tolerance: 1e-3)
        for (channel, factor) in zip(channels, solution) where factor.isFinite { factors[channel] = factor }
        return factors
    }

    private static func scale(_ weight: Parameter, by factors: [Double]) {
        let values = weight.variable.value
        let shape = values.shape
        let (inputs, outputs) = (shape[shape.count - 2], shape[shape.count - 1])
        for row in 0..<(values.count / max(outputs, 1)) {
            let factor = Float(factors[row % inputs])
            for index in (row * outputs)..<((row + 1) * outputs) { values.pointer[index] *= factor }
        }
    }
}

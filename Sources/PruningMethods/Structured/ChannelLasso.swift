import Files
import Foundation
import Layers
import Pruning

/// Channel LASSO: of all channels that a layer reads, those stay that a sparse regression of its outputs on them takes
/// up first; then the layer's weights are fitted to the channels left.
///
///     β(λ) = argmin_β  ½‖y − Σ_j β_j·x̂_j‖² + λ‖β‖₁        ‖y‖ = 1
///     score_j = the largest λ from which on, λ falling, β_j ≠ 0
///     w′ = argmin_w ‖Y − X̂_P·w‖²   of what is left (`RidgeCompensation`)
///
/// x̂_sj: what channel j adds to output sample s of a layer that reads the axis (`LayerContributions`), y_s = Σ_j
/// x̂_sj.
///
/// Based on: He, Zhang & Sun, "Channel Pruning for Accelerating Very Deep Neural Networks", ICCV 2017,
/// arXiv 1707.06168.
///
/// Differs from the paper: β is followed along the whole path of λ once instead of λ being raised until a layer's
/// count is met; weights are fitted once, after the choice, by maps of the input channels that a kernel's taps share;
/// an axis may have several consumers, whose problems are added up, each relative to its own output. Each axis keeps
/// the same share, as in the paper, unless the allocation says otherwise.
public struct ChannelLasso: ContributionRanking {
    public struct Configuration: ContributionConfiguration {
        /// Samples of each layer from every calibration batch.
        public var samplesPerBatch = 64
        /// Values of λ along the path.
        public var pathLength = 60
        /// Whether weights are fitted to what is left.
        public var reconstruct = true

        public init() {}

        public func validate() throws {
            try validateSamples()
            try require((2...10_000).contains(pathLength), "path_length", got: pathLength, expected: "2...10000")
        }
    }

    public static let card = MethodCard(
        name: "channel-lasso", family: "structured",
        summary: "keeps the channels that a sparse regression of the next layer's outputs takes up first",
        granularities: [.channel, .block, .head, .aligned, .regular, .level], allocation: .uniform,
        paper: "He, Zhang & Sun, 2017, arXiv 1707.06168")
    public static let needs: [any EvidenceKind.Type] = [LayerContributions.self] + RidgeCompensation.needs

    public let configuration: Configuration
    let seed: UInt64

    public init(_ configuration: Configuration, seed: UInt64) {
        self.configuration = configuration
        self.seed = seed
    }

    public mutating func reconstruct(_ masks: Masks, in context: PruningContext) throws {
        try RidgeCompensation(seed: seed).apply(masks, in: context)
    }

    // MARK: the path

    func scores(gram: [Double], width: Int) -> [Double] {
        Self.entries(gram: gram, width: width, pathLength: configuration.pathLength)
    }

    /// For each channel the λ at which it enters for good, λ falling; 0 where it never does.
    static func entries(gram: [Double], width: Int, pathLength: Int) -> [Double] {
        // Xᵀy, as y is the sum of all columns.
        let correlations = (0..<width).map { row in
            (0..<width).reduce(0) { $0 + gram[row * width + $1] }
        }
        let highest = correlations.map(abs).max() ?? 0
        var entered = [Double](repeating: 0, count: width)
        guard highest > 0 else { return entered }
        var beta = [Double](repeating: 0, count: width)
        for number in 0..<pathLength {
            let lambda = highest * pow(1e-5, Double(number) / Double(pathLength - 1))
            descend(&beta, gram: gram, correlations: correlations, lambda: lambda)
            for channel in 0..<width {
                if beta[channel] == 0 {
                    entered[channel] = 0
                } else if entered[channel] == 0 {
                    entered[channel] = lambda
                }
            }
        }
        return entered
    }

    /// Coordinate descent on ½βᵀGβ − bᵀβ + λ‖β‖₁ from where β is, until no coordinate moves.
    static func descend(_ beta: inout [Double], gram: [Double], correlations: [Double], lambda: Double) {
        let width = beta.count
        // Gβ
        var products = (0..<width).map { row in (0..<width).reduce(0) { $0 + gram[row * width + $1] * beta[$1] } }
        for _ in 0..<500 {
            var moved = 0.0
            for channel in 0..<width {
                let curvature = gram[channel * width + channel]
                guard curvature > 0 else { continue }
                let slope = correlations[channel] - products[channel] + curvature * beta[channel]
                let value = slope > lambda ? slope - lambda : slope < -lambda ? slope + lambda : 0
                let step = value / curvature - beta[channel]
                guard step != 0 else { continue }
                beta[channel] += step
                for row in 0..<width { products[row] += gram[row * width + channel] * step }
                moved = max(moved, abs(step) * curvature.squareRoot())
            }
            if moved < 1e-9 { return }
        }
    }
}

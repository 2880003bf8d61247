import CKernels
import Files
import Layers
import TensorCore

/// Imitation of what a teacher's blocks put out, each block by its own measure:
///
///     F = 1/N · Σ_l  Σ w·((f_S − f_T) / σ_l)² / Σ w,    w = m_c where |f_T − μ_l| ≤ k·σ_l, else 0
///
/// over the N blocks that are compared, all images and positions of a batch, and the channels c that the student has:
/// channel i of a pruned student against the channel of the teacher that it was. m_c is the student's mask, 1 without
/// one, and no gradient flows through it here. μ_l and σ_l are the mean and the standard deviation of all that the
/// teacher's block puts out in this batch. Elements that lie further than k standard deviations off are left out: a few
/// channels of trained networks are so large that they would be all there is to the sum. A block whose output is
/// the same everywhere counts as imitated. Timesteps count alike whatever the loss's weighting is.
///
/// Based on: Zhang et al., "LAPTOP-Diff", 2024, arXiv 2404.11098 (features by the teacher's own size); Fang et al.,
/// "TinyFusion", CVPR 2025, arXiv 2412.01199 (outliers left out); Lee et al., "KOALA", NeurIPS 2024, arXiv 2312.04005
/// (features of self-attention are the ones to imitate).
///
/// Differs from the papers: the features are those at the blocks' ends, residual included; they are divided by standard
/// deviations, in place of weights by the norms of the teacher's features; σ is one number a layer; channels that
/// were removed are compared with nothing, so that no projection has to be learned.
public struct FeatureDistillation: Equatable, Sendable {
    /// Which blocks are compared.
    public enum Blocks: String, Codable, Sendable, CaseIterable {
        /// Those that end in self-attention.
        case attention
        /// All: every ResNet block, with the attention that follows it.
        case all
    }

    /// λ of F beside the loss, above 0.
    public let weight: Double
    public let blocks: Blocks
    /// k.
    public let outliers: Double

    public init(weight: Double, blocks: Blocks = .attention, outliers: Double = 6) {
        precondition(weight > 0 && outliers > 0, "features imitated by \(weight) within \(outliers)σ")
        (self.weight, self.blocks, self.outliers) = (weight, blocks, outliers)
    }

    private func isCompared(_ block: FeatureBlock) -> Bool { blocks == .all || block.hasAttention }

    /// Whether every block that is compared has its like in the teacher.
    ///
    /// - Throws: `SettingError` where there is nothing to compare, or not known which channel is to imitate which.
    public func check(_ student: some Denoiser, _ teacher: some Denoiser) throws {
        func fail(_ expected: String) -> SettingError {
            SettingError(key: "recovery.feature_distillation", got: weight, expected: expected)
        }
        let (own, theirs) = (student.featureBlocks, teacher.featureBlocks)
        guard own.contains(where: isCompared) else {
            throw SettingError(
                key: "recovery.feature_layers", got: "'\(blocks.rawValue)'",
                expected: own.isEmpty
                    ? "none, by feature_distillation 0: the model has no blocks to compare"
                    : "'\(Blocks.all.rawValue)': the model has no attention")
        }
        guard own.map(\.name) == theirs.map(\.name) else {
            throw fail("0 with a teacher whose blocks are not the model's")
        }
        for (block, other) in zip(own, theirs) where isCompared(block) {
            let (width, wanted) = (block.axis.originalWidth, other.axis.originalWidth)
            guard width == wanted else {
                throw fail(
                    "0 with this teacher: the record does not say which \(width) of its \(wanted) channels "
                        + "'\(block.name)' has")
            }
            guard Self.channels(of: block, in: other) != nil else {
                throw fail("0 with this teacher: '\(block.name)' has channels that it lost")
            }
        }
    }

    /// The position in the teacher's block of each channel of the student's; nil where the teacher lacks some.
    private static func channels(of block: FeatureBlock, in other: FeatureBlock) -> [Int]? {
        var positions: [Int: Int] = [:]
        for (position, channel) in other.axis.keptPositions.enumerated() { positions[channel] = position }
        let found = block.axis.keptPositions.compactMap { positions[$0] }
        return found.count == block.axis.width ? found : nil
    }

    /// F; a scalar.
    ///
    /// - Parameters:
    ///   - outputs: what the student's blocks put out.
    ///   - student: whose blocks they are, with its masks.
    ///   - wanted: what the teacher's blocks put out for the same batch.
    ///   - teacher: whose blocks these are.
    /// - Precondition: `check` of the two.
    public func error(
        of outputs: BlockOutputs, in student: some Denoiser, to wanted: BlockOutputs, in teacher: some Denoiser
    ) -> Variable {
        var (sum, count) = (nil as Variable?, 0)
        for (number, (block, other)) in zip(student.featureBlocks, teacher.featureBlocks).enumerated()
        where isCompared(block) {
            count += 1
            guard let channels = Self.channels(of: block, in: other) else {
                preconditionFailure("'\(block.name)' has channels that the teacher lacks")
            }
            let gate = Autograd.withoutRecording { block.axis.gate?.value.array }
            guard let target = Target(wanted.values[number].value, channels, gate, outliers: outliers) else { continue }
            let term = outputs.values[number].weightedSquaredError(to: target.values, weights: target.weights)
                .scaled(by: target.scale)
            sum = sum.map { $0 + term } ?? term
        }
        return sum?.scaled(by: 1 / Float(count)) ?? Variable(Tensor(zeros: []))
    }

    /// What a block is to put out.
    private struct Target {
        /// f_T of the student's channels.
        let values: Tensor
        /// w.
        let weights: Tensor
        /// 1 / (σ²·Σ w).
        let scale: Float

        /// nil where the features are all the same, or nothing is to be compared.
        init?(_ features: Tensor, _ channels: [Int], _ gate: [Float]?, outliers: Double) {
            let count = Double(features.count)
            let mean = dk_sum(features.pointer, features.count) / count
            let square = dk_dot(features.pointer, features.pointer, features.count) / count
            let variance = square - mean * mean
            // What is left of equal numbers is rounding.
            guard variance > 1e-10 * square else { return nil }
            let width = features.shape[features.shape.count - 1]
            let rows = features.count / width
            let shape = Array(features.shape.dropLast()) + [channels.count]
            let isWhole = channels.count == width
            let values = isWhole ? features : Tensor(uninitialized: shape)
            if !isWhole {
                for row in 0..<rows {
                    let (source, target) = (features.pointer + row * width, values.pointer + row * channels.count)
                    for (position, channel) in channels.enumerated() { target[position] = source[channel] }
                }
            }
            let reach = outliers * variance.squareRoot()
            let (low, high) = (Float(mean - reach), Float(mean + reach))
            let gate = gate ?? Array(repeating: 1, count: channels.count)
            let weights = Tensor(uninitialized: shape)
            gate.withUnsafeBufferPointer { gate in
                for row in 0..<rows {
                    let (value, weight) = (values.pointer + row * gate.count, weights.pointer + row * gate.count)
                    for channel in 0..<gate.count {
                        weight[channel] = value[channel] >= low && value[channel] <= high ? gate[channel] : 0
                    }
                }
            }
            let total = dk_sum(weights.pointer, weights.count)
            guard total > 0 else { return nil }
            (self.values, self.weights, scale) = (values, weights, Float(1 / (variance * total)))
        }
    }
}

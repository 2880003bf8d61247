import TensorCore

/// Group normalisation over a channel axis, with the gates' weighted moments (see `Variable.groupNormalized`).
///
/// Every channel stays in the group it belonged to before pruning, so a pruned layer may have unequal groups and gives
/// what the masked dense layer gave.
public struct GroupNorm: ChannelNormalization {
    public let gamma: Parameter
    public let beta: Parameter
    public let axis: ChannelAxis
    public let epsilon: Float
    public let groups: NormalizationGroups
    /// Number of groups before any pruning.
    public let groupCount: Int
    public let name: String

    /// - Parameters:
    ///   - name: in files.
    ///   - axis: what is normalised.
    ///   - groupCount: before any pruning.
    ///   - epsilon: added to variances.
    ///   - branch: the inner axis of the block that the normalisation leaves with; nil where it stays.
    /// - Throws: `LayerError` where the axis cannot be divided into that many groups.
    public init(
        _ name: String, axis: ChannelAxis, groupCount: Int, epsilon: Float, branch: ChannelAxis? = nil
    ) throws {
        guard groupCount > 0, axis.originalWidth % groupCount == 0 else {
            throw LayerError.indivisible(layer: name, width: axis.originalWidth, parts: groupCount)
        }
        self.name = name
        self.axis = axis
        self.epsilon = epsilon
        self.groupCount = groupCount
        let groupWidth = axis.originalWidth / groupCount
        groups = NormalizationGroups(groupOfChannel: axis.keptPositions.map { $0 / groupWidth })
        gamma = Parameter(
            name + ".weight", layout: .plain, axes: [axis], shape: [axis.width], initialization: .ones, branch: branch)
        beta = Parameter(
            name + ".bias", layout: .plain, axes: [axis], shape: [axis.width], initialization: .zeros, branch: branch)
    }

    public var parameters: [Parameter] { [gamma, beta] }

    /// Normalises, then applies `activation`; `modulation` is `[B, 2·C]`: scale and shift of diffusers' "scale_shift".
    public func callAsFunction(
        _ x: Variable, activation: Activation = .identity, modulation: Variable? = nil
    ) -> Variable {
        self([x], activation: activation, modulation: modulation)
    }

    /// The same of the concatenation of `parts`.
    public func callAsFunction(
        _ parts: [Variable], activation: Activation = .identity, modulation: Variable? = nil
    ) -> Variable {
        let width = axis.width
        return LayerOperation.run(name, .groupNorm, of: parts, parameters: parameters) {
            let (scale, shift) = (modulation?.channels(0..<width), modulation?.channels(width..<(2 * width)))
            if SynapticPass.isOn { return linear(parts, added: [scale, shift].compactMap { $0 }) }
            return .groupNormalized(
                parts, groups: groups, gamma: gamma.effective, beta: beta.effective, epsilon: epsilon,
                activation: activation, gate: axis.gate, scale: scale, shift: shift)
        }
    }

    /// What it is in a `SynapticPass`, of one image: division by the mean and multiplication by |γ|. A modulation's
    /// scale, a factor of what it meets otherwise, is added as the shift is.
    ///
    /// Gates have been multiplied where the channels were made.
    private func linear(_ parts: [Variable], added: [Variable]) -> Variable {
        let x = parts.count == 1 ? parts[0] : .concatenated(parts)
        return added.reduce(x.ofMeanOne().gated(by: gamma.effective)) { sum, term in
            sum + (axis.gate.map { term.gated(by: $0) } ?? term).everywhere(in: sum.shape)
        }
    }
}

extension [Variable] {
    /// The shape of their concatenation along the channels.
    var joinedShape: [Int] { self[0].shape.dropLast() + [reduce(0) { $0 + ($1.shape.last ?? 1) }] }
}

public enum LayerError: Error, CustomStringConvertible {
    case indivisible(layer: String, width: Int, parts: Int)

    public var description: String {
        switch self {
        case .indivisible(let layer, let width, let parts):
            "\(layer): \(width) channels cannot be divided into \(parts) equal groups"
        }
    }
}

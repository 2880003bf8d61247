import Testing

@testable import TensorCore

/// Where nothing is recorded, group normalisation is one call that keeps nothing: the bits are those of the recorded
/// one.
@Suite struct GroupNormPredictionTests {
    private func random(_ shape: [Int], _ index: UInt64) -> Tensor {
        var stream = RandomStream(seed: 5, purpose: .probe, index: index)
        let tensor = Tensor(uninitialized: shape)
        for i in 0..<tensor.count { tensor.pointer[i] = stream.normal() }
        return tensor
    }

    @Test(arguments: [[24], [5, 19], [16, 8, 7]], [Activation.silu, .identity, .gelu])
    func predictionsHaveTheBitsOfRecordedPasses(widths: [Int], activation: Activation) {
        let (images, side, channels) = (3, 6, widths.reduce(0, +))
        let groups = NormalizationGroups(groupOfChannel: (0..<channels).map { $0 * $0 % 4 })
        let parts = widths.enumerated().map { random([images, side, side, $1], UInt64($0)) }
        let (gamma, beta) = (random([channels], 10), random([channels], 11))
        let gate = Tensor((0..<channels).map { Float($0 % 3) / 2 }, shape: [channels])
        let (scale, shift) = (random([images, channels], 12), random([images, channels], 13))
        for conditioned in [false, true] {
            func normalized(recorded: Bool) -> [Float] {
                Variable.groupNormalized(
                    parts.map { Variable($0, requiresGradient: recorded) }, groups: groups, gamma: Variable(gamma),
                    beta: Variable(beta), epsilon: 1e-5, activation: activation,
                    gate: conditioned ? Variable(gate) : nil, scale: conditioned ? Variable(scale) : nil,
                    shift: conditioned ? Variable(shift) : nil
                ).value.array
            }
            let prediction = Autograd.withoutRecording { normalized(recorded: false) }
            #expect(prediction == normalized(recorded: true))
            #expect(prediction.contains { abs($0) > 0.1 })
        }
    }
}

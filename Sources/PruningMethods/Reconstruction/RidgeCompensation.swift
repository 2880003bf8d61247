import Layers
import LinearAlgebra
import Pruning
import TensorCore

/// Ridge compensation: every layer that loses inputs is given weights with which those left say what all of them said.
///
///     B, c = argmin  Σ_rows ‖x − B·x̂_P − c‖² + λ·‖B − I_P‖²        λ = 10⁻³ · mean of x̂_k²
///     w′[·, k] = Σ_h w[·, h]·B_hk        bias′ = bias + Σ_taps w·c
///
/// x: what the layer reads in the whole network, x̂_P: the inputs that are left, in the masked one, at the same
/// positions of the calibration batches; centred. Layers are repaired in the network's order, each beside what those
/// before it have become. A convolution's taps share B, so that one C × C problem serves them all.
///
/// Based on: GRAIL, arXiv 2602.23795 (Gram matrices of a consumer's inputs, damped by 10⁻³ of their mean diagonal).
///
/// Differs from the paper: what is left is read in the masked network and not in the whole one, since normalisations
/// change with the cut; B is held near leaving weights as they are instead of near zero; means go into biases, which at
/// the border of a padded picture is not exact.
public struct RidgeCompensation: WeightRepair {
    public static let needs: [any EvidenceKind.Type] = [InputRows.self]
    /// λ over the mean diagonal.
    static let penalty = 1e-3
    private let evidence: InputRows

    public init(seed: UInt64) { evidence = InputRows(rowsPerBatch: 64, seed: seed) }

    /// Repairs the weights of what `masks`, which are decided, leave.
    ///
    /// - Precondition: masks of channels.
    /// - Throws: `EvidenceError`, `LinearAlgebraError`.
    public func apply(_ masks: Masks, in context: PruningContext) throws {
        let whole = try context.evidence(evidence, at: Masks(context.space))
        for consumer in masks.consumersThatLoseInputs {
            let masked = try context.evidence(evidence, at: masks)
            guard let before = whole[consumer.weight], let after = masked[consumer.weight] else { continue }
            let left = (0..<after.width).filter { !consumer.removed.contains($0) }
            guard !left.isEmpty, before.count == after.count, after.count > left.count else { continue }
            let repair = try Self.repair(before: before, after: after, left: left)
            Self.apply(repair, to: consumer.weight, bias: after.bias, left: left)
            context.evidence.weightsChanged()
        }
    }

    /// B, `left.count` × width (row k says what channel k takes over of each), and c.
    struct Repair {
        let map: [Double]
        let shift: [Double]
    }

    static func repair(before: InputRows.Rows, after: InputRows.Rows, left: [Int]) throws -> Repair {
        let (rows, width) = (after.count, after.width)
        func means(_ values: [Double]) -> [Double] {
            (0..<width).map { channel in
                (0..<rows).reduce(0) { $0 + values[$1 * width + channel] } / Double(rows)
            }
        }
        let (wholeMeans, maskedMeans) = (means(before.values), means(after.values))
        var inputs: [Double] = []
        inputs.reserveCapacity(rows * left.count)
        var outputs = before.values
        for row in 0..<rows {
            inputs += left.map { after.values[row * width + $0] - maskedMeans[$0] }
            for channel in 0..<width { outputs[row * width + channel] -= wholeMeans[channel] }
        }
        var prior = [Double](repeating: 0, count: left.count * width)
        for (position, channel) in left.enumerated() { prior[position * width + channel] = 1 }
        let map = try Ridge(inputs, rows: rows, columns: left.count, penalty: penalty)
            .solve(outputs, near: prior, outputs: width)
        let shift = (0..<width).map { channel in
            wholeMeans[channel]
                - left.enumerated().reduce(0) { $0 + map[$1.offset * width + channel] * maskedMeans[$1.element] }
        }
        return Repair(map: map, shift: shift)
    }

    private static func apply(_ repair: Repair, to weight: Parameter, bias: Parameter?, left: [Int]) {
        let values = weight.variable.value
        let shape = values.shape
        let (inputs, outputs) = (shape[shape.count - 2], shape[shape.count - 1])
        var biases = [Double](repeating: 0, count: outputs)
        for tap in 0..<(values.count / (inputs * outputs)) {
            let start = tap * inputs * outputs
            let old = (0..<(inputs * outputs)).map { Double(values.pointer[start + $0]) }
            for (position, channel) in left.enumerated() {
                var row = [Double](repeating: 0, count: outputs)
                for input in 0..<inputs {
                    let share = repair.map[position * inputs + input]
                    for output in 0..<outputs { row[output] += share * old[input * outputs + output] }
                }
                for output in 0..<outputs { values.pointer[start + channel * outputs + output] = Float(row[output]) }
            }
            for input in 0..<inputs {
                for output in 0..<outputs { biases[output] += repair.shift[input] * old[input * outputs + output] }
            }
        }
        guard let bias else { return }
        for output in 0..<min(outputs, bias.count) { bias.variable.value.pointer[output] += Float(biases[output]) }
    }
}

import Foundation
import Layers
import Pruning
import TensorCore
import TestSupport

/// A regression for the toy network: targets are what another network of its kind gives.
struct ChainTask {
    /// `[24, 6]` and `[24, 4]`.
    let inputs: Tensor
    let targets: Tensor

    init() {
        inputs = Tensor(uninitialized: [24, 6])
        var stream = RandomStream(seed: 31, purpose: "test-inputs")
        stream.fillNormal(inputs.unsafeBuffer)
        targets = Tensor(uninitialized: [24, 4])
        for row in 0..<24 {
            for column in 0..<4 {
                let (a, b) = (inputs.pointer[row * 6 + column], inputs.pointer[row * 6 + column + 1])
                targets.pointer[row * 4 + column] = sin(a) + 0.5 * a * b
            }
        }
    }

    static func network(seed: UInt64 = 3) throws -> ChainNetwork {
        let network = try ChainNetwork()
        network.initialize(seed: seed)
        return network
    }

    func loss(of network: ChainNetwork) -> Variable { network(Variable(inputs)).meanSquaredError(to: targets) }

    /// The rows in three parts.
    func calibration(of network: ChainNetwork) -> any CalibrationSource { Calibration(self, network) }

    private final class Calibration: CalibrationSource {
        private let task: ChainTask
        private let network: ChainNetwork

        init(_ task: ChainTask, _ network: ChainNetwork) { (self.task, self.network) = (task, network) }

        var batchCount: Int { 3 }

        func loss(batch: Int) throws -> Variable {
            let rows = batch * 8..<(batch + 1) * 8
            return network(Variable(task.inputs.rows(rows))).meanSquaredError(to: task.targets.rows(rows))
        }
    }

    /// The loss in double, written out, with masks as the network would have them:
    /// an oracle that shares no code with it.
    func loss(of network: ChainNetwork, _ kind: PruningSpace.Kind, _ masks: [Double]) -> Double {
        var total = 0.0
        for (row, output) in activations(of: network, kind, masks)[3].enumerated() {
            for column in 0..<4 {
                let difference = output[column] - Double(targets.pointer[row * 4 + column])
                total += difference * difference
            }
        }
        return total / (24 * 4)
    }

    /// What each layer reads, row by row, and at last the outputs: in double.
    func activations(of network: ChainNetwork, _ kind: PruningSpace.Kind, _ masks: [Double]) -> [[[Double]]] {
        let widths = [6, 8, 12, 4]
        var activations = [(0..<24).map { row in (0..<6).map { Double(inputs.pointer[row * 6 + $0]) } }]
        var (firstWeight, firstChannel) = (0, 0)
        for layer in 0..<3 {
            let w = network.layers[layer].weight.variable.value.array
            let b = network.layers[layer].bias.variable.value.array
            let (from, to) = (widths[layer], widths[layer + 1])
            activations.append(
                activations[layer].map { x in
                    var y = b.map(Double.init)
                    for o in 0..<to {
                        for i in 0..<from {
                            let mask = kind == .weights ? masks[firstWeight + i * to + o] : 1
                            y[o] += x[i] * Double(w[i * to + o]) * mask
                        }
                        if layer < 2 {
                            if kind == .channels { y[o] *= masks[firstChannel + o] }
                            y[o] /= 1 + exp(-y[o])
                        }
                    }
                    return y
                })
            firstWeight += from * to
            firstChannel += to
        }
        return activations
    }
}

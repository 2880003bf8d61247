import Files
import Layers
import Pruning
import TensorCore
import Training

/// How a method learns: it acts on every step until the masks are decided.
protocol MaskLearning: TrainingExtension {
    /// What it has on the network meanwhile.
    var attachments: Attachments { get }
    /// One list a site: the highest stay.
    var scores: [[Double]] { get }
    /// What the next step depends on beside the groups: none unless said otherwise.
    var arrays: [String: [Float]] { get }
    /// Goes on from what `arrays` was.
    /// - Throws: `PrunerStateError` for those of something else.
    func restore(_ arrays: [String: [Float]]) throws
}

extension MaskLearning {
    /// False once the masks are decided.
    var isOn: Bool { attachments.isOn }

    /// Ends it and takes off the network what it has there.
    func detach() { attachments.detach() }

    var arrays: [String: [Float]] { [:] }
    func restore(_ arrays: [String: [Float]]) throws {}

    var state: ExtensionState { ExtensionState(arrays: arrays, values: ["on": .bool(isOn)]) }

    func restore(_ state: ExtensionState) throws {
        try restore(state.arrays)
        if state.values["on"] == .bool(false) { detach() }
    }
}

extension Parameter {
    /// Learned beside those of the network, from one value for all elements.
    convenience init(_ name: String, shape: [Int], filledWith value: Double) {
        self.init(name, layout: .plain, axes: shape.map { _ in nil }, shape: shape, initialization: .zeros)
        variable.value.fill(Float(value))
    }
}

extension [Variable] {
    /// The sum of scalars; nil of none.
    var total: Variable? { dropFirst().reduce(first) { sum, term in sum.map { $0 + term } } }
}

/// Refuses what no learning rate of a method's own parameters should be.
func requireLearningRate(_ rate: Double) throws {
    try require(rate > 0 && rate <= 10, "learning_rate", got: rate, expected: "in (0, 10]")
}

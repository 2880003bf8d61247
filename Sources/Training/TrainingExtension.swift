import Files
import TensorCore

/// What a method adds to every training step. Everything but the name has a default that does nothing.
///
/// A step calls its extensions in their order at each of these points:
///
/// 1. `prepare`, before the loss
/// 2. `regularizer`, whose sum is added to the task's loss; then the backward pass
/// 3. `afterBackward`, when all gradients are complete and before their norm is taken and clipped
/// 4. the optimisers' updates: the network's first, then those of the groups
/// 5. `afterUpdate`, before the moving average of the weights takes them in
///
/// What an extension does is a function of the step, of the weights, and of what it hands out as `state`.
public protocol TrainingExtension: AnyObject {
    /// Unique among the extensions of a training: names its state in checkpoints.
    var name: String { get }
    /// The same ones all the time. Their values and their optimisers' state are kept in checkpoints by the trainer.
    var parameterGroups: [ParameterGroup] { get }
    /// Gets ready for step `step` (from 0): draws gates or noise from the stream of this step.
    /// - Throws: where the step cannot be made.
    func prepare(step: Int) throws
    /// A scalar to add to the loss; nil for nothing.
    func regularizer(step: Int) -> Variable?
    /// May read and change the gradients.
    ///
    /// - Parameters:
    ///   - step: from 0.
    ///   - optimizer: the network's, with its arena.
    func afterBackward(step: Int, optimizer: Optimizer)
    /// May read and change weights (a projection) and what the optimiser remembers of them.
    ///
    /// - Parameters:
    ///   - step: from 0.
    ///   - optimizer: the network's, with its arena.
    func afterUpdate(step: Int, optimizer: Optimizer)
    /// Everything the next step depends on, groups apart.
    var state: ExtensionState { get }
    /// Continues from what `state` was.
    /// - Throws: where it is not a state of this extension.
    func restore(_ state: ExtensionState) throws
}

extension TrainingExtension {
    public var parameterGroups: [ParameterGroup] { [] }
    public func prepare(step: Int) {}
    public func regularizer(step: Int) -> Variable? { nil }
    public func afterBackward(step: Int, optimizer: Optimizer) {}
    public func afterUpdate(step: Int, optimizer: Optimizer) {}
    public var state: ExtensionState { ExtensionState() }
    public func restore(_ state: ExtensionState) throws {}
}

/// What an extension remembers: arrays, which are saved as tensors, and values.
public struct ExtensionState: Equatable, Sendable {
    public var arrays: [String: [Float]]
    public var values: [String: JSONValue]

    public init(arrays: [String: [Float]] = [:], values: [String: JSONValue] = [:]) {
        self.arrays = arrays
        self.values = values
    }
}

import Layers
import TensorCore

/// What a network learns: the loss of a batch.
public protocol LearningTask<Network, Batch> {
    associatedtype Network: ChannelNetwork
    /// Everything a loss needs, so that it can be evaluated again bit for bit.
    associatedtype Batch: LearningBatch

    /// The mean loss of `batch` with the network's present weights and gates:
    /// a scalar that derivatives can be taken of.
    ///
    /// - Parameters:
    ///   - network: what is judged.
    ///   - batch: what it is judged on.
    ///   - teacher: what the task imitates, as far as it is asked to; nil for nothing.
    ///   - dropout: names the step's dropout; nil where the loss is only to be judged.
    func loss(of network: Network, on batch: Batch, teacher: Network?, dropout: DropoutMask?) throws -> Variable

    /// The loss with what logs show of it; its total is `loss`.
    func terms(of network: Network, on batch: Batch, teacher: Network?, dropout: DropoutMask?) throws -> LossTerms

    /// Throws where `network` has no loss on `batch`: before a long work on many of them.
    func check(_ batch: Batch, for network: Network) throws
    /// What a head on one of the network's features could learn to tell of each sample of `batch`; nil for nothing.
    func targets(of batch: Batch) -> SampleTargets?
    /// Whether there is any such thing.
    var hasTargets: Bool { get }

    /// Into how many stages the task falls that are learned side by side, each of any sample, from 0 upward; 0 where it
    /// has none.
    var stageCount: Int { get }
    /// The same samples, all of them at `stage`.
    func batch(_ batch: Batch, at stage: Int) -> Batch
}

/// What there is to tell of samples, in their order.
public enum SampleTargets {
    /// Which of `count` classes each belongs to.
    case classes([Int], count: Int)
    /// Numbers at every place of each, `[B, …, C]`.
    case values(Tensor)
}

extension LearningTask {
    /// The loss is all there is.
    public func terms(
        of network: Network, on batch: Batch, teacher: Network?, dropout: DropoutMask?
    ) throws -> LossTerms {
        LossTerms(try loss(of: network, on: batch, teacher: teacher, dropout: dropout))
    }

    public func check(_ batch: Batch, for network: Network) throws {}
    public func targets(of batch: Batch) -> SampleTargets? { nil }
    public var hasTargets: Bool { false }
    public var stageCount: Int { 0 }
    public func batch(_ batch: Batch, at stage: Int) -> Batch { batch }
}

/// Samples whose losses are averaged.
public protocol LearningBatch {
    var count: Int { get }
    /// The batch of samples `range` alone.
    func samples(_ range: Range<Int>) -> Self
}

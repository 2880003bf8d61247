/// Where a trainer gets its batches from. Everything is a pure function of the arguments, so that a resumed run sees
/// what the uninterrupted one would have.
public protocol BatchSource<Batch> {
    associatedtype Batch

    /// The batch of training step `step` (from 0).
    func batch(step: Int) -> Batch

    /// Batch `number` of `count` that together judge a network: without anything drawn anew for each step.
    ///
    /// - Parameters:
    ///   - number: from 0; batches beyond `count` are further ones of the same kind.
    ///   - count: of batches.
    ///   - size: samples of the batch.
    func calibrationBatch(number: Int, of count: Int, size: Int) -> Batch

    /// What has to be made before there are batches; nil where nothing has.
    var supply: (any BatchSupply)? { get }

    /// What batches that are kept to come again take in memory; 0 where none are.
    var keptBytes: Int { get }
}

extension BatchSource {
    public var supply: (any BatchSupply)? { nil }
    public var keptBytes: Int { 0 }
}

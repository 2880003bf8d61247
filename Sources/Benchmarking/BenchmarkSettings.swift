import Runs
import Timing

/// What `bench` is to do.
public struct BenchmarkSettings: Sendable {
    public var works = BenchmarkWork.allCases
    /// Images that go through the model together; each is timed.
    public var batches = [1, 16]
    /// Rounds of each measurement; nil for as many as two seconds hold, 9…41.
    public var runs: Int?
    /// Sampling steps.
    public var steps = 10
    /// Whether training steps and Hessian–vector products compute the insides of blocks again,
    /// in place of keeping them.
    public var gradientCheckpointing = false
    /// What random weights and inputs follow from.
    public var seed: UInt64 = 0
    /// Whether to make a table of layers for each batch size.
    public var profilesLayers = false

    public init() {}

    /// - Throws: `RequestError`.
    public func validate() throws {
        for batch in batches where !(1...4096).contains(batch) {
            throw RequestError.invalid(option: "--batch", got: "\(batch)", expected: "1...4096")
        }
        if let runs, !(1...10_000).contains(runs) {
            throw RequestError.invalid(option: "--runs", got: "\(runs)", expected: "1...10000")
        }
        if steps < 1 { throw RequestError.invalid(option: "--steps", got: "\(steps)", expected: "at least 1") }
    }

    var rounds: InterleavedRounds { runs.map(InterleavedRounds.init(exactly:)) ?? InterleavedRounds() }
}

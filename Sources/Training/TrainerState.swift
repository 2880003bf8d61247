import Files

/// Where a training stands: everything that its next step depends on.
public struct TrainerState: Equatable, Sendable {
    /// Flat arrays by name: `weights`, `ema`, `optimizer.…`, and `extension.…` for what extensions have.
    public var arrays: [String: [Float]]
    /// Step counts by name.
    public var counts: [String: Int]
    /// Values of the extensions that have some, by their names.
    public var values: [String: [String: JSONValue]]

    public init(
        arrays: [String: [Float]] = [:], counts: [String: Int] = [:], values: [String: [String: JSONValue]] = [:]
    ) {
        self.arrays = arrays
        self.counts = counts
        self.values = values
    }

    func array(_ name: String, count: Int) throws -> [Float] {
        guard let array = arrays[name], array.count == count else {
            throw OptimizerError.mismatchedState(name: name, expected: count, got: arrays[name]?.count)
        }
        return array
    }
}

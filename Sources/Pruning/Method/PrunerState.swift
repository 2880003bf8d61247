import Files

/// What an interrupted run needs of a method beside the masks: arrays, which are saved as tensors, and values.
public struct PrunerState: Equatable, Sendable {
    public var arrays: [String: [Float]]
    public var values: [String: JSONValue]

    public init(arrays: [String: [Float]] = [:], values: [String: JSONValue] = [:]) {
        self.arrays = arrays
        self.values = values
    }
}

/// A saved state that is not one of the method's.
public struct PrunerStateError: Error, CustomStringConvertible {
    let method: String, reason: String

    public init(method: String, reason: String) {
        self.method = method
        self.reason = reason
    }

    public var description: String { "the saved state is not one of '\(method)': \(reason)" }
}

/// What is counted against a budget.
public enum CostKind: String, Codable, Sendable, CaseIterable {
    /// Multiply–accumulates of one prediction for one sample.
    case macs
    /// Weights and biases.
    case parameters = "params"
    /// Prunable channels.
    case channels
    /// Maskable weights that are not zero.
    case weights
    /// The file that weights are saved in.
    case bytes
}

/// What a network costs as a function of what its sites have left.
public protocol Cost: Sendable {
    var kind: CostKind { get }
    /// - Parameter widths: Σ m of each site of the space: whole numbers for decided masks, fractions for soft ones.
    func value(_ widths: [Double]) -> Double
    /// ∂value/∂width of each site: the cost of one more coordinate.
    func slopes(_ widths: [Double]) -> [Double]
}

extension Cost {
    public func value(_ widths: [Int]) -> Double { value(widths.map(Double.init)) }
}

/// Weights that are not zero.
public struct Nonzeros: Cost {
    public let kind = CostKind.weights

    public init() {}

    public func value(_ widths: [Double]) -> Double { widths.reduce(0, +) }
    public func slopes(_ widths: [Double]) -> [Double] { widths.map { _ in 1 } }
}

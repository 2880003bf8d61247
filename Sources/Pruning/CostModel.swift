import Layers

/// What is counted against a budget.
public enum CostKind: String, Codable, Sendable, CaseIterable {
    /// Multiply–accumulates of one prediction for one image.
    case macs
    /// Weights and biases.
    case parameters = "params"
    /// Prunable channels.
    case channels
}

/// The cost of a network as a function of its groups' widths: a sum of products, evaluated without building anything.
public struct CostModel {
    private struct Term {
        var coefficient: Double
        /// For each factor: the groups whose widths are added up, and a constant.
        var factors: [(groups: [Int], constant: Double)]
    }
    private let terms: [Term]
    public let kind: CostKind
    public let groupCount: Int

    public init(_ kind: CostKind, of network: some ChannelNetwork, groups: [PrunableGroup]) {
        self.kind = kind
        groupCount = groups.count
        var numbers: [ObjectIdentifier: Int] = [:]
        for (index, group) in groups.enumerated() { numbers[ObjectIdentifier(group.axis)] = index }
        func factor(_ axis: ChannelAxis) -> (groups: [Int], constant: Double) {
            var indices: [Int] = []
            var constant = 0.0
            for group in axis.groups {
                if let number = numbers[ObjectIdentifier(group)] {
                    indices.append(number)
                } else {
                    constant += Double(group.width)
                }
            }
            return (indices, constant)
        }
        switch kind {
        case .macs:
            terms = network.computeTerms.map { Term(coefficient: $0.coefficient, factors: $0.axes.map(factor)) }
        case .parameters:
            terms = network.parameters.map { parameter in
                var term = Term(coefficient: 1, factors: [])
                for (axis, extent) in zip(parameter.axes, parameter.variable.shape) {
                    if let axis { term.factors.append(factor(axis)) } else { term.coefficient *= Double(extent) }
                }
                return term
            }
        case .channels:
            terms = groups.indices.map { Term(coefficient: 1, factors: [([$0], 0)]) }
        }
    }

    /// The cost at the given widths, which may be fractional (sums of soft masks).
    public func cost(_ widths: [Double]) -> Double {
        terms.reduce(0) { total, term in
            total
                + term.factors.reduce(term.coefficient) { product, factor in
                    product * factor.groups.reduce(factor.constant) { $0 + widths[$1] }
                }
        }
    }

    public func cost(_ widths: [Int]) -> Double { cost(widths.map(Double.init)) }

    /// ∂cost/∂width of each group: what one channel more costs.
    public func marginalCosts(_ widths: [Double]) -> [Double] {
        var marginal = [Double](repeating: 0, count: groupCount)
        for term in terms {
            let values = term.factors.map { $0.groups.reduce($0.constant) { $0 + widths[$1] } }
            for (index, factor) in term.factors.enumerated() {
                var others = term.coefficient
                for (other, value) in values.enumerated() where other != index { others *= value }
                for group in factor.groups { marginal[group] += others }
            }
        }
        return marginal
    }
}

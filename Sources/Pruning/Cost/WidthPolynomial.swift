import Layers

/// A network's multiply–accumulates, parameters or channels as a function of the widths of its prunable axes: a sum of
/// products, evaluated without building anything. A term that leaves with a whole block (`Parameter.branch`) counts
/// while the block has channels.
public struct WidthPolynomial: Cost {
    private struct Term {
        var coefficient: Double
        /// For each factor: the groups whose widths are added up, and a constant.
        var factors: [(groups: [Int], constant: Double)]
        /// The group without whose channels the term is nothing.
        var branch: Int?

        func isPresent(at widths: [Double]) -> Bool { branch.map { widths[$0] > 0 } ?? true }
    }
    private let terms: [Term]
    public let kind: CostKind
    private let siteCount: Int

    /// - Precondition: a space of channels, and a kind that counts what axes carry.
    public init(_ kind: CostKind, of network: any ChannelNetwork, space: PruningSpace) {
        precondition(space.kind == .channels && kind != .weights, "\(kind) of a space of \(space.kind)")
        self.kind = kind
        let groups = space.groups
        siteCount = groups.count
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
            terms = network.parameters.filter { !$0.isStatistic }.map { parameter in
                var term = Term(coefficient: 1, factors: [])
                term.branch = parameter.branch.flatMap { numbers[ObjectIdentifier($0.groups[0])] }
                for (axis, extent) in zip(parameter.axes, parameter.variable.shape) {
                    if let axis { term.factors.append(factor(axis)) } else { term.coefficient *= Double(extent) }
                }
                return term
            }
        case .channels, .weights:
            terms = groups.indices.map { Term(coefficient: 1, factors: [([$0], 0)]) }
        }
    }

    public func value(_ widths: [Double]) -> Double {
        terms.reduce(0) { total, term in
            guard term.isPresent(at: widths) else { return total }
            return total
                + term.factors.reduce(term.coefficient) { product, factor in
                    product * factor.groups.reduce(factor.constant) { $0 + widths[$1] }
                }
        }
    }

    public func slopes(_ widths: [Double]) -> [Double] {
        var marginal = [Double](repeating: 0, count: siteCount)
        for term in terms where term.isPresent(at: widths) {
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

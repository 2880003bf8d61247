import Layers

/// A network's multiply–accumulates, parameters or channels as a function of the widths of its prunable axes: a sum of
/// products, evaluated without building anything. A term that leaves with a whole block (`Parameter.branch`) counts
/// while the block has channels.
public struct WidthPolynomial: Cost {
    private struct Term {
        var coefficient: Double
        var factors: [AxisWidth]
        /// The group without whose channels the term is nothing.
        var branch: Int?

        func isPresent(at widths: [Double]) -> Bool { branch.map { widths[$0] > 0 } ?? true }
    }
    private let terms: [Term]
    public let kind: CostKind
    private let siteCount: Int

    /// - Precondition: a space of channels, and a kind that counts what axes carry.
    public init(_ kind: CostKind, of network: any ChannelNetwork, space: PruningSpace) {
        precondition(
            space.kind == .channels && kind != .weights && kind != .bytes, "\(kind) of a space of \(space.kind)")
        self.kind = kind
        siteCount = space.groups.count
        let sites = SiteNumbers(space)
        switch kind {
        case .macs:
            terms = network.computeTerms.map { Term(coefficient: $0.coefficient, factors: $0.axes.map(sites.width)) }
        case .parameters:
            terms = network.parameters.filter { !$0.isStatistic }.map { Self.elements(of: $0, sites) }
        case .channels, .weights, .bytes:
            terms = space.groups.indices.map { Term(coefficient: 1, factors: [AxisWidth(sites: [$0], constant: 0)]) }
        }
    }

    /// Bytes of all weights.
    ///
    /// - Parameter elementBytes: of one element of each of the network's parameters.
    /// - Precondition: a space of channels.
    init(of network: any ChannelNetwork, space: PruningSpace, elementBytes: [Int]) {
        kind = .bytes
        siteCount = space.groups.count
        let sites = SiteNumbers(space)
        terms = zip(network.parameters, elementBytes).map { parameter, bytes in
            var term = Self.elements(of: parameter, sites)
            term.coefficient *= Double(bytes)
            return term
        }
    }

    private static func elements(of parameter: Parameter, _ sites: SiteNumbers) -> Term {
        var term = Term(coefficient: 1, factors: [])
        term.branch = parameter.branch.flatMap { sites[$0.groups[0]] }
        for (axis, extent) in zip(parameter.axes, parameter.variable.shape) {
            if let axis { term.factors.append(sites.width(axis)) } else { term.coefficient *= Double(extent) }
        }
        return term
    }

    public func value(_ widths: [Double]) -> Double {
        terms.reduce(0) { total, term in
            guard term.isPresent(at: widths) else { return total }
            return total
                + term.factors.reduce(term.coefficient) { product, factor in
                    product * factor.value(widths)
                }
        }
    }

    public func slopes(_ widths: [Double]) -> [Double] {
        var marginal = [Double](repeating: 0, count: siteCount)
        for term in terms where term.isPresent(at: widths) {
            let values = term.factors.map { $0.value(widths) }
            for (index, factor) in term.factors.enumerated() {
                var others = term.coefficient
                for (other, value) in values.enumerated() where other != index { others *= value }
                for site in factor.sites { marginal[site] += others }
            }
        }
        return marginal
    }
}

import Layers
import TensorCore
import Training

/// All that can be masked in a network, in one order. Masks and scores are one flat array over it: a *coordinate* is a
/// channel of an axis or an element of a weight.
public final class PruningSpace {
    /// What a site's coordinates are.
    public enum Kind: String, Codable, Sendable, CaseIterable {
        /// Channels of prunable axes, with everything that lies on them.
        case channels
        /// Elements of the weights of convolutions and linear layers.
        case weights
    }

    public enum Site {
        /// One coordinate a channel left.
        case axis(PrunableGroup)
        /// One coordinate an element, in the engine's layout; `index` is the parameter's place in the arena.
        case weight(Parameter, index: Int)

        public var name: String {
            switch self {
            case .axis(let group): group.name
            case .weight(let parameter, _): parameter.name
            }
        }
    }

    public let kind: Kind
    public let sites: [Site]
    /// The coordinates of each site.
    public let ranges: [Range<Int>]

    public var count: Int { ranges.last?.upperBound ?? 0 }

    /// Coordinates of each site, as they are counted by costs.
    public var widths: [Int] { ranges.map(\.count) }

    private init(_ kind: Kind, _ sites: [(Site, count: Int)]) {
        self.kind = kind
        self.sites = sites.map(\.0)
        var start = 0
        ranges = sites.map { site in
            defer { start += site.count }
            return start..<(start + site.count)
        }
    }

    /// The prunable axes of `network`, in its order.
    public static func channels(of network: some ChannelNetwork) -> PruningSpace {
        PruningSpace(.channels, PrunableGroup.all(of: network).map { (.axis($0), $0.width) })
    }

    /// Elements of the weights of `network`, in its order.
    ///
    /// - Parameters:
    ///   - network: whose weights.
    ///   - isIncluded: which trainable parameters; those that can be masked (`Parameter.isMaskable`) unless said
    ///     otherwise.
    public static func weights(
        of network: some ChannelNetwork, where isIncluded: (Parameter) -> Bool = \.isMaskable
    ) -> PruningSpace {
        let trainable = network.parameters.filter(\.isTrainable)
        return PruningSpace(
            .weights,
            trainable.enumerated().filter { isIncluded($1) }.map { (.weight($1, index: $0), $1.count) })
    }

    public static func of(_ kind: Kind, in network: some ChannelNetwork) -> PruningSpace {
        switch kind {
        case .channels: channels(of: network)
        case .weights: weights(of: network)
        }
    }

    /// The prunable axes; empty in a space of weights.
    public var groups: [PrunableGroup] {
        sites.compactMap { if case .axis(let group) = $0 { group } else { nil } }
    }

    /// The weights; empty in a space of channels.
    public var parameters: [Parameter] {
        sites.compactMap { if case .weight(let parameter, _) = $0 { parameter } else { nil } }
    }

    /// The dimensions of each site: of a weight its shape, of an axis its width.
    public var shapes: [[Int]] {
        sites.map { site in
            switch site {
            case .axis(let group): [group.width]
            case .weight(let parameter, _): parameter.variable.shape
            }
        }
    }

    /// The part of a flat tensor, laid out as an arena of the network, that belongs to each coordinate.
    ///
    /// - Precondition: a space of weights.
    public func values(of flat: Tensor, in arena: ParameterArena) -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(count)
        for site in sites {
            guard case .weight(_, let index) = site else { preconditionFailure("a space of channels has no elements") }
            values += arena.slice(flat, index).array
        }
        return values
    }

    /// What each coordinate has of an elementwise quantity: an element its own, a channel the sum over all weights on
    /// it, added up in double. By site.
    ///
    /// - Parameters:
    ///   - flat: one value a weight, laid out as `arena`.
    ///   - arena: how `flat` is laid out.
    public func shares(of flat: Tensor, in arena: ParameterArena) -> [[Double]] {
        sites.map { site in
            switch site {
            case .axis(let group): group.sums(of: flat, in: arena)
            case .weight(_, let index): arena.slice(flat, index).array.map(Double.init)
            }
        }
    }

    /// The site that `coordinate` belongs to.
    public func site(of coordinate: Int) -> Int {
        var (low, high) = (0, sites.count - 1)
        while low < high {
            let middle = (low + high + 1) / 2
            if ranges[middle].lowerBound <= coordinate { low = middle } else { high = middle - 1 }
        }
        return low
    }

    /// A flat array from one list a site.
    /// - Precondition: each list is as long as its site.
    func flattened<Element>(_ lists: [[Element]]) -> [Element] {
        precondition(lists.map(\.count) == widths, "lists of \(lists.map(\.count)) for sites of \(widths)")
        return Array(lists.joined())
    }
}

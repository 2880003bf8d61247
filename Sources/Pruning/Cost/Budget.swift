import Layers

/// How much of a model may be left: one limit or several, all of which hold at the end.
public struct Budget: Codable, Sendable, Equatable {
    /// What is asked for, by the names of `--target`.
    public enum Quantity: String, Codable, Sendable, CaseIterable {
        case macs, params, sparsity

        /// What is counted in a space; sparsity counts the space's coordinates.
        func cost(in space: PruningSpace.Kind) -> CostKind {
            switch self {
            case .macs: .macs
            case .params: .parameters
            case .sparsity: space == .channels ? .channels : .weights
            }
        }
    }

    public struct Limit: Codable, Sendable, Equatable {
        public let quantity: Quantity
        /// For macs and params the fraction left, for sparsity the fraction of channels or weights removed.
        public let value: Double

        /// Fraction of the cost that may be left.
        public var remaining: Double { quantity == .sparsity ? 1 - value : value }

        public var description: String { "\(quantity.rawValue)=\(value)" }
    }

    /// At least one, each of another quantity. The first is the one whose density a method leads down; the others come
    /// nearer in step.
    public let limits: [Limit]

    public init(_ quantity: Quantity, _ value: Double) throws {
        try self.init([Limit(quantity: quantity, value: value)])
    }

    private init(_ limits: [Limit]) throws {
        for limit in limits {
            guard limit.value > 0, limit.value < 1 else {
                throw BudgetError.outOfRange(quantity: limit.quantity.rawValue, value: limit.value)
            }
        }
        self.limits = limits
    }

    /// From "macs=0.5", "params=0.4", "sparsity=0.5", or several with commas between: "macs=0.5,params=0.4".
    public init(parsing text: String) throws {
        let limits = try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            let sides = part.split(separator: "=", maxSplits: 1).map(String.init)
            guard sides.count == 2, let quantity = Quantity(rawValue: sides[0]), let value = Double(sides[1]) else {
                throw BudgetError.unreadable(text)
            }
            return Limit(quantity: quantity, value: value)
        }
        guard !limits.isEmpty, Set(limits.map(\.quantity)).count == limits.count else {
            throw BudgetError.unreadable(text)
        }
        try self.init(limits)
    }

    /// Fraction that may be left by the first limit.
    public var remaining: Double { limits[0].remaining }

    public var description: String { limits.map(\.description).joined(separator: ",") }

    /// What each limit counts in `space`.
    ///
    /// - Throws: `BudgetError.notCounted` for what single weights do not change.
    public func costs(in space: PruningSpace, of network: any ChannelNetwork) throws -> [any Cost] {
        try limits.map { limit in
            let kind = limit.quantity.cost(in: space.kind)
            switch space.kind {
            case .channels: return WidthPolynomial(kind, of: network, space: space)
            case .weights:
                guard kind == .weights else { throw BudgetError.notCounted(quantity: limit.quantity.rawValue) }
                return Nonzeros()
            }
        }
    }
}

public enum BudgetError: Error, CustomStringConvertible {
    case unreadable(String)
    case outOfRange(quantity: String, value: Double)
    case unreachable(asked: Double, minimum: Double, quantity: String)
    /// With granularity `regular`, of whose `count` axes `whole` cannot be narrowed at all.
    case unreachableRegularly(asked: Double, minimum: Double, quantity: String, whole: Int, count: Int)
    /// A quantity that zeros among the weights leave as it is.
    case notCounted(quantity: String)
    /// A sparsity other than the one that an N:M pattern has.
    case patternHasItsOwn(asked: Double, pattern: String, sparsity: Double)

    public var description: String {
        switch self {
        case .unreadable(let text):
            "target '\(text)' is not of the form QUANTITY=NUMBER with QUANTITY one of "
                + Budget.Quantity.allCases.map(\.rawValue).joined(separator: ", ")
                + " (several with commas between, each once)"
        case .outOfRange(let quantity, let value):
            "target \(quantity)=\(value) must lie between 0 and 1, both excluded"
        case .unreachable(let asked, let minimum, let quantity):
            "target \(quantity)=\(Self.short(asked)) cannot be reached: with the minimum width of every group, "
                + "\(Self.short(minimum)) is left"
        case .unreachableRegularly(let asked, let minimum, let quantity, let whole, let count):
            "target \(quantity)=\(Self.short(asked)) cannot be reached by granularity 'regular': with equal "
                + "normalisation groups \(Self.short(minimum)) is left at least, \(whole) of \(count) channel groups "
                + "cannot be narrowed, "
                + "expected a higher target, a smaller multiple or granularity 'channel'"
        case .notCounted(let quantity):
            "target \(quantity)=… cannot be met by single weights, whose zeros dense kernels still compute with: "
                + "expected sparsity=NUMBER, the fraction of weights that become zero"
        case .patternHasItsOwn(let asked, let pattern, let sparsity):
            "target sparsity=\(Self.short(asked)) is not what the pattern \(pattern) leaves, "
                + "expected sparsity=\(sparsity)"
        }
    }

    /// Three digits say enough.
    private static func short(_ value: Double) -> String {
        let scaled = (value * 1000).rounded() / 1000
        return "\(scaled)"
    }
}

import Files
import Foundation
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

        public var description: String { "\(quantity.rawValue)=\(value.plain)" }
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
    /// Fractions left, asked for and possible; the quantity is the user's.
    case unreachable(asked: Double, minimum: Double, quantity: String)
    /// With granularity `regular`, of whose `count` axes `whole` cannot be narrowed at all.
    case unreachableRegularly(asked: Double, minimum: Double, quantity: String, whole: Int, count: Int)
    /// With granularity `level`: the widths that its levels have, and the least that they can have.
    case unreachableByLevels(asked: Double, minimum: Double, quantity: String, widths: [String], lowest: [Int])
    /// A quantity that zeros among the weights leave as it is.
    case notCounted(quantity: String)
    /// A sparsity other than the one that an N:M pattern has.
    case patternHasItsOwn(asked: Double, pattern: String, sparsity: Double)

    public var description: String {
        switch self {
        case .unreadable(let text):
            "target '\(text)' is not of the form QUANTITY=NUMBER with QUANTITY "
                + Spelling.choice(of: Budget.Quantity.allCases.map(\.rawValue), got: Self.unknownQuantity(in: text))
                + ", several with commas between and each once"
        case .outOfRange(let quantity, let value):
            "target \(quantity)=\(value.plain) must lie between 0 and 1, both excluded"
        case .unreachable(let asked, let minimum, let quantity):
            "target \(Self.target(quantity, asked)) cannot be reached, as the rest always stays: "
                + "expected \(Self.nearest(quantity, minimum))"
        case .unreachableRegularly(let asked, let minimum, let quantity, let whole, let count):
            "target \(Self.target(quantity, asked)) cannot be reached by granularity 'regular', which keeps "
                + "normalisation groups equal (\(whole) of \(count) channel groups cannot be narrowed): "
                + "expected \(Self.nearest(quantity, minimum)), a smaller multiple or granularity 'channel'"
        case .unreachableByLevels(let asked, let minimum, let quantity, let widths, let lowest):
            "target \(Self.target(quantity, asked)) cannot be reached by granularity 'level', which leaves at least "
                + zip(widths, lowest).map { "\($1) of \($0)" }.joined(separator: ", ")
                + ": expected \(Self.nearest(quantity, minimum)), or granularity 'channel'"
        case .notCounted(let quantity):
            "target \(quantity)=… cannot be met by single weights, whose zeros dense kernels still compute with: "
                + "expected sparsity=NUMBER, the fraction of weights that become zero"
        case .patternHasItsOwn(let asked, let pattern, let sparsity):
            "target sparsity=\(asked.significant(9)) is not what the pattern \(pattern) leaves, "
                + "expected sparsity=\(sparsity.significant(6))"
        }
    }

    /// As the user asked for it. What is left of 1 has the rounding of a subtraction, which nine digits do without.
    private static func target(_ quantity: String, _ remaining: Double) -> String {
        "\(quantity)=\((isRemoval(quantity) ? 1 - remaining : remaining).significant(9))"
    }

    /// The nearest target that can be reached, in three digits rounded to the side where it can.
    private static func nearest(_ quantity: String, _ minimum: Double) -> String {
        func rounded(_ value: Double, _ rule: FloatingPointRoundingRule) -> Double {
            guard value > 0 else { return 0 }
            let scale = Foundation.pow(10, 2 - Foundation.log10(value).rounded(.down))
            return (value * scale).rounded(rule) / scale
        }
        return isRemoval(quantity)
            ? "at most \(quantity)=\(rounded(1 - minimum, .down).significant(3))"
            : "at least \(quantity)=\(rounded(minimum, .up).significant(3))"
    }

    /// Whether a quantity says how much leaves, and not how much is left.
    private static func isRemoval(_ quantity: String) -> Bool { quantity == Budget.Quantity.sparsity.rawValue }

    /// What stands where a quantity's name should.
    private static func unknownQuantity(in text: String) -> String? {
        text.split(separator: ",").compactMap { $0.split(separator: "=").first.map(String.init) }
            .first { Budget.Quantity(rawValue: $0) == nil }
    }
}

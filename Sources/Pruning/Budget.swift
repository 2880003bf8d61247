/// How much of a model may be left.
public struct Budget: Codable, Sendable, Equatable {
    /// What is asked for, by the names of `--target`.
    public enum Quantity: String, Codable, Sendable, CaseIterable {
        case macs, params, sparsity

        /// What is counted; sparsity counts channels.
        public var cost: CostKind {
            switch self {
            case .macs: .macs
            case .params: .parameters
            case .sparsity: .channels
            }
        }
    }
    public let quantity: Quantity
    /// For macs and params the fraction left, for sparsity the fraction of channels removed.
    public let value: Double

    public init(_ quantity: Quantity, _ value: Double) throws {
        guard value > 0, value < 1 else { throw BudgetError.outOfRange(quantity: quantity.rawValue, value: value) }
        self.quantity = quantity
        self.value = value
    }

    /// From "macs=0.5", "params=0.4" or "sparsity=0.5".
    public init(parsing text: String) throws {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, let quantity = Quantity(rawValue: parts[0]), let value = Double(parts[1]) else {
            throw BudgetError.unreadable(text)
        }
        try self.init(quantity, value)
    }

    /// Fraction of the cost that may be left.
    public var remaining: Double { quantity == .sparsity ? 1 - value : value }

    public var description: String { "\(quantity.rawValue)=\(value)" }
}

public enum BudgetError: Error, CustomStringConvertible {
    case unreadable(String)
    case outOfRange(quantity: String, value: Double)
    case unreachable(asked: Double, least: Double, quantity: String)
    /// With granularity `regular`, of whose `count` axes `whole` cannot be narrowed at all.
    case unreachableRegularly(asked: Double, least: Double, quantity: String, whole: Int, count: Int)

    public var description: String {
        switch self {
        case .unreadable(let text):
            "target '\(text)' is not of the form QUANTITY=NUMBER with QUANTITY one of "
                + Budget.Quantity.allCases.map(\.rawValue).joined(separator: ", ")
        case .outOfRange(let quantity, let value):
            "target \(quantity)=\(value) must lie between 0 and 1, both excluded"
        case .unreachable(let asked, let least, let quantity):
            "target \(quantity)=\(asked) cannot be reached: with the least width every group keeps, \(least) is left"
        case .unreachableRegularly(let asked, let least, let quantity, let whole, let count):
            "target \(quantity)=\(asked) cannot be reached by granularity 'regular': with equal normalisation groups \(least) "
                + "is left at least, \(whole) of \(count) channel groups cannot be narrowed, expected a higher target, a "
                + "smaller multiple or granularity 'channel'"
        }
    }
}

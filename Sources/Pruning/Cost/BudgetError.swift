import Files

public enum BudgetError: Error, CustomStringConvertible {
    case unreadable(String)
    case outOfRange(quantity: String, value: Double)
    /// Fractions left, asked for and possible; the quantity is the user's.
    case unreachable(asked: Double, minimum: Double, quantity: String)
    /// With granularity `regular`, of whose `count` axes `whole` cannot be narrowed at all.
    case unreachableRegularly(asked: Double, minimum: Double, quantity: String, whole: Int, count: Int)
    /// With granularity `level`: the widths that its levels have, and the least that they can have.
    case unreachableByLevels(asked: Double, minimum: Double, quantity: String, widths: [String], lowest: [Int])
    /// One of the three above, by a limit that is no plain share of a cost.
    indirect case unreachableAmount(BudgetError, limit: Budget.Limit)
    /// An amount that the model given does not exceed.
    case notBelow(Budget.Limit, whole: Double)
    /// An amount in a unit that the quantity does not have.
    case badUnit(Budget.Quantity, got: String)
    /// Bytes of weights of which it is not known how they are saved.
    case noFile
    /// A quantity that zeros among the weights leave as it is.
    case notCounted(quantity: String)
    /// A size, of which an N:M pattern has its own.
    case patternHasItsOwnSize(Budget.Limit, pattern: String, sparsity: Double)
    /// A sparsity other than the one that an N:M pattern has.
    case patternHasItsOwn(asked: Double, pattern: String, sparsity: Double)

    public var description: String {
        switch self {
        case .unreadable(let text):
            "target '\(text)' is not of the form QUANTITY=NUMBER (a share as 0.5, or an amount as 80M or 2MB) with "
                + "QUANTITY "
                + Spelling.choice(of: Budget.Quantity.allCases.map(\.rawValue), got: Self.unknownQuantity(in: text))
                + ", several with commas between and each once"
        case .outOfRange(let quantity, let value):
            "target \(quantity)=\(value.plain) must lie between 0 and 1, both excluded"
                + (Budget.Quantity(rawValue: quantity).map(Self.amounts) ?? "")
        case .unreachable(let asked, let minimum, let quantity),
            .unreachableRegularly(let asked, let minimum, let quantity, _, _),
            .unreachableByLevels(let asked, let minimum, let quantity, _, _):
            unreachableText(Self.target(quantity, asked), Self.nearest(quantity, minimum))
        case .unreachableAmount(let error, let limit):
            error.unreachableText(limit.description, error.nearest(limit))
        case .notBelow(let limit, let whole):
            "target \(limit.description) is no less than what the model has, "
                + "\(limit.quantity.rawValue)=\(limit.whole(whole)): expected less"
        case .badUnit(let quantity, let got):
            "target \(quantity.rawValue)=\(got) has a unit that \(quantity.rawValue) does not have, expected "
                + Self.forms(of: quantity)
        case .noFile: "a target in bytes needs weights of which it is known how they are saved"
        case .notCounted(let quantity):
            "target \(quantity)=… cannot be met by single weights, whose zeros dense kernels still compute with: "
                + "expected sparsity=NUMBER, the fraction of weights that become zero, or bytes=… of the compact file"
        case .patternHasItsOwnSize(let limit, let pattern, let sparsity):
            "target \(limit.description) cannot be asked of the pattern \(pattern), which leaves what it leaves, "
                + "expected sparsity=\(sparsity.significant(6))"
        case .patternHasItsOwn(let asked, let pattern, let sparsity):
            "target sparsity=\(asked.significant(9)) is not what the pattern \(pattern) leaves, "
                + "expected sparsity=\(sparsity.significant(6))"
        }
    }

    /// The sentence of what cannot be reached, from what was asked for and what is expected.
    private func unreachableText(_ asked: String, _ expected: String) -> String {
        switch self {
        case .unreachableRegularly(_, _, _, let whole, let count):
            "target \(asked) cannot be reached by granularity 'regular', which keeps normalisation groups equal "
                + "(\(whole) of \(count) channel groups cannot be narrowed): "
                + "expected \(expected), a smaller multiple or granularity 'channel'"
        case .unreachableByLevels(_, _, _, let widths, let lowest):
            "target \(asked) cannot be reached by granularity 'level', which leaves at least "
                + zip(widths, lowest).map { "\($1) of \($0)" }.joined(separator: ", ")
                + ": expected \(expected), or granularity 'channel'"
        default: "target \(asked) cannot be reached, as the rest always stays: expected \(expected)"
        }
    }

    /// The nearest that can be reached, in the limit's own terms.
    private func nearest(_ limit: Budget.Limit) -> String {
        switch self {
        case .unreachable(_, let minimum, _), .unreachableRegularly(_, let minimum, _, _, _),
            .unreachableByLevels(_, let minimum, _, _, _):
            "at least \(limit.text(atShare: minimum, digits: 3, rounding: .up))"
                + (limit.measure.map { " of the model's \(limit.whole($0.whole))" } ?? "")
        default: ""
        }
    }

    /// "a share as 0.5, or a number, alone or with k, M, G or T".
    private static func forms(of quantity: Budget.Quantity) -> String {
        let units = LimitUnit.all(of: quantity).map(\.rawValue).filter { !$0.isEmpty }
        guard !units.isEmpty else { return "a share as 0.5" }
        return "a share as 0.5, or an amount: a number, alone or with one of \(units.joined(separator: ", "))"
    }

    /// What may stand in the place of a share.
    private static func amounts(of quantity: Budget.Quantity) -> String {
        let units = LimitUnit.all(of: quantity).map(\.rawValue).filter { !$0.isEmpty }
        guard !units.isEmpty else { return "" }
        return ", or be an amount: a whole number above 1, or a number with one of \(units.joined(separator: ", "))"
    }

    /// As the user asked for it. What is left of 1 has the rounding of a subtraction, which nine digits do without.
    private static func target(_ quantity: String, _ remaining: Double) -> String {
        "\(quantity)=\((isRemoval(quantity) ? 1 - remaining : remaining).significant(9))"
    }

    /// The nearest target that can be reached, in three digits rounded to the side where it can.
    private static func nearest(_ quantity: String, _ minimum: Double) -> String {
        isRemoval(quantity)
            ? "at most \(quantity)=\((1 - minimum).rounded(toDigits: 3, .down).significant(3))"
            : "at least \(quantity)=\(minimum.rounded(toDigits: 3, .up).significant(3))"
    }

    /// Whether a quantity says how much leaves, and not how much is left.
    private static func isRemoval(_ quantity: String) -> Bool { quantity == Budget.Quantity.sparsity.rawValue }

    /// What stands where a quantity's name should.
    private static func unknownQuantity(in text: String) -> String? {
        text.split(separator: ",").compactMap { $0.split(separator: "=").first.map(String.init) }
            .first { Budget.Quantity(rawValue: $0) == nil }
    }
}

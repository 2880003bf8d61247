import Files
import Layers

/// How much of a model may be left: one limit or several, all of which hold at the end.
public struct Budget: Codable, Sendable, Equatable {
    /// What is asked for, by the names of `--target`.
    public enum Quantity: String, Codable, Sendable, CaseIterable {
        case macs, params, sparsity
        /// Of the weights' file as it is saved; where single weights are masked, of its compact form.
        case bytes

        /// What is counted in a space; sparsity counts the space's coordinates. What bytes single weights take follows
        /// from how many are not zero.
        func cost(in space: PruningSpace.Kind) -> CostKind {
            switch self {
            case .macs: .macs
            case .params: .parameters
            case .sparsity: space == .channels ? .channels : .weights
            case .bytes: space == .channels ? .bytes : .weights
            }
        }
    }

    /// At least one, each of another quantity. The first is the one whose density a method leads down; the others come
    /// nearer in step.
    public private(set) var limits: [Limit]

    public init(_ quantity: Quantity, _ value: Double) throws {
        try self.init([Limit(quantity: quantity, value: value)])
    }

    private init(_ limits: [Limit]) throws {
        for limit in limits where limit.unit == nil {
            guard limit.value > 0, limit.value < 1 else {
                throw BudgetError.outOfRange(quantity: limit.quantity.rawValue, value: limit.value)
            }
        }
        self.limits = limits
    }

    /// From "macs=0.5", "params=500k", "bytes=2MB", "sparsity=0.5", or several with commas between:
    /// "macs=80M,bytes=2MB". A number below 1 is a share of what the model has; one with a unit, or a whole one above
    /// 1, is an amount.
    public init(parsing text: String) throws {
        let limits = try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            let sides = part.split(separator: "=", maxSplits: 1).map(String.init)
            guard sides.count == 2, let quantity = Quantity(rawValue: sides[0]) else {
                throw BudgetError.unreadable(text)
            }
            guard let limit = try Limit(quantity, parsing: sides[1]) else { throw BudgetError.unreadable(text) }
            return limit
        }
        guard !limits.isEmpty, Set(limits.map(\.quantity)).count == limits.count else {
            throw BudgetError.unreadable(text)
        }
        try self.init(limits)
    }

    /// Fraction that may be left by the first limit.
    ///
    /// - Precondition: of shares, or a budget of a `Selection`.
    public var remaining: Double { limits[0].remaining }

    /// Whether what is left of a cost can only be said of a model: by amounts, and bytes of single weights.
    public func needsModel(in space: PruningSpace.Kind) -> Bool {
        limits.contains { $0.unit != nil || $0.quantity == .bytes && space == .weights }
    }

    public var description: String { limits.map(\.description).joined(separator: ",") }

    /// What each limit counts in `space`.
    ///
    /// - Parameters:
    ///   - space: what is masked.
    ///   - network: what it is a space of.
    ///   - storage: how the weights are saved; nil where nothing is known of that.
    /// - Throws: `BudgetError.notCounted` for what single weights do not change, `BudgetError.noFile` for bytes without
    ///   a file.
    public func costs(
        in space: PruningSpace, of network: any ChannelNetwork, storedAs storage: (any WeightStorage)? = nil
    ) throws -> [any Cost] {
        try limits.map { limit in
            let kind = limit.quantity.cost(in: space.kind)
            switch space.kind {
            case .channels:
                guard kind == .bytes else { return WidthPolynomial(kind, of: network, space: space) }
                guard let storage else { throw BudgetError.noFile }
                return FileSize(of: network, space: space, storage)
            case .weights:
                guard kind == .weights else { throw BudgetError.notCounted(quantity: limit.quantity.rawValue) }
                return Nonzeros()
            }
        }
    }

    /// The same budget held against a model.
    ///
    /// - Parameters:
    ///   - fullCosts: what the model has of what each limit counts.
    ///   - space: what is masked.
    ///   - network: what it is a space of.
    ///   - storage: how the weights are saved; nil where nothing is known of that.
    /// - Throws: `BudgetError` for an amount that the model does not exceed, `BudgetError.noFile`.
    func measured(
        by fullCosts: [Double], in space: PruningSpace, of network: any ChannelNetwork,
        storedAs storage: (any WeightStorage)?
    ) throws -> Budget {
        var result = self
        result.limits = try zip(limits, fullCosts).map { limit, full in
            guard limit.quantity == .bytes, space.kind == .weights else {
                return try limit.measured(by: Limit.Measure(whole: full))
            }
            guard let storage else { throw BudgetError.noFile }
            return try limit.measured(by: .compactFile(of: network, space, storage))
        }
        // All limits of single weights count the same: where the tightest holds, all do.
        if space.kind == .weights { result.limits.sort { $0.remaining < $1.remaining } }
        return result
    }
}

extension Budget.Limit {
    /// From "0.5", "500k", "2MB"; nil where it is no number, or the unit is none of the quantity's.
    ///
    /// - Throws: `BudgetError.badUnit` for a number with a unit that the quantity does not have.
    fileprivate init?(_ quantity: Budget.Quantity, parsing text: String) throws {
        if let value = Double(text) {
            // Whole numbers above 1 are no shares that were mistyped.
            let isAmount = value > 1 && value == value.rounded() && value.isFinite
            let hasAmounts = !LimitUnit.all(of: quantity).isEmpty
            self.init(quantity: quantity, value: value, unit: isAmount && hasAmounts ? .one : nil)
            return
        }
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let symbol = text.dropFirst(digits.count)
        guard let value = Double(digits), symbol.allSatisfy(\.isLetter) else { return nil }
        guard value > 0 else { throw BudgetError.outOfRange(quantity: quantity.rawValue, value: value) }
        guard let unit = LimitUnit(String(symbol), of: quantity) else {
            throw BudgetError.badUnit(quantity, got: text)
        }
        self.init(quantity: quantity, value: value, unit: unit)
    }
}

extension Budget.Limit.Measure {
    /// Of the compact form of weights with zeros: a bit for each weight that may become zero, and those that are not.
    fileprivate static func compactFile(
        of network: any ChannelNetwork, _ space: PruningSpace, _ storage: any WeightStorage
    ) -> Self {
        let shapes = network.parameters.map(\.fileShape)
        let masked = Set(space.parameters.map { ObjectIdentifier($0) })
        let isMasked = network.parameters.map { masked.contains(ObjectIdentifier($0)) }
        let elements = zip(shapes, storage.elementBytes).reduce(0) { $0 + $1.0.reduce(1, *) * $1.1 }
        // Where types differ each weight counts as the widest, so that the file is no larger than asked for.
        let widest = zip(storage.elementBytes, isMasked).filter(\.1).map(\.0).max() ?? 0
        return Self(
            base: Double(storage.compactOverhead(of: shapes, isCompact: isMasked)),
            span: Double(widest * space.count), whole: Double(elements + storage.overhead(of: shapes)))
    }
}

extension Budget {
    /// One thing that a budget asks for: a share of what the model given has, or an amount.
    public struct Limit: Codable, Sendable, Equatable {
        public let quantity: Quantity
        /// Without a unit the fraction left, for sparsity the fraction of channels or weights removed; with one how
        /// many of it may be left.
        public let value: Double
        /// nil for a share of what the model given has.
        public let unit: LimitUnit?
        /// What it comes to for a model; nil before that is known.
        private(set) var measure: Measure?

        /// What a limit comes to for a model. The amount left is base + span × share of the cost left.
        struct Measure: Codable, Sendable, Equatable {
            /// The amount where nothing of the cost is left.
            let base: Double
            /// What all of the cost adds to that.
            let span: Double
            /// What the model given has of the quantity.
            let whole: Double

            init(whole: Double) { self.init(base: 0, span: whole, whole: whole) }

            init(base: Double, span: Double, whole: Double) {
                (self.base, self.span, self.whole) = (base, span, whole)
            }

            func amount(atShare share: Double) -> Double { base + span * share }
            func share(ofAmount amount: Double) -> Double { span > 0 ? (amount - base) / span : 0 }
        }

        init(quantity: Quantity, value: Double, unit: LimitUnit? = nil) {
            (self.quantity, self.value, self.unit) = (quantity, value, unit)
        }

        /// How much may be left, in ones; nil for a share.
        public var amount: Double? { unit.map { value * $0.scale } }

        /// Fraction of the cost that may be left.
        ///
        /// - Precondition: a share, or measured.
        public var remaining: Double {
            guard quantity != .sparsity else { return 1 - value }
            guard !isShareOfCost else { return value }
            guard let measure else {
                preconditionFailure("\(description) says nothing before it is held against a model")
            }
            return measure.share(ofAmount: amount ?? value * measure.whole)
        }

        /// Whether it is a share of what is counted, and so says the same of any model.
        var isShareOfCost: Bool { unit == nil && measure.map { $0.span == $0.whole } ?? true }

        public var description: String { "\(quantity.rawValue)=\(value.plain)\(unit?.rawValue ?? "")" }

        /// The same of a model.
        ///
        /// - Throws: `BudgetError.notBelow` for an amount that the model does not exceed.
        func measured(by measure: Measure) throws -> Limit {
            var limit = self
            limit.measure = measure
            if let amount, amount >= measure.whole { throw BudgetError.notBelow(limit, whole: measure.whole) }
            return limit
        }

        /// What a share of the cost comes to, as this limit would ask for it: "bytes=1.99MB", "macs=0.5".
        ///
        /// - Parameters:
        ///   - share: of the cost that is left, 0 … 1.
        ///   - digits: significant ones.
        ///   - rule: how what is left is rounded to them.
        /// - Precondition: measured, where it has a unit.
        public func text(
            atShare share: Double, digits: Int = 4, rounding rule: FloatingPointRoundingRule = .toNearestOrEven
        ) -> String {
            let amount = measure?.amount(atShare: share)
            if let unit, let amount {
                return "\(quantity.rawValue)=" + unit.text(amount, of: quantity, digits: digits, rounding: rule)
            }
            guard quantity != .sparsity else {
                // What leaves is rounded to the other side.
                let opposite: FloatingPointRoundingRule = rule == .up ? .down : rule
                return "\(quantity.rawValue)=\((1 - share).rounded(toDigits: digits, opposite).plain)"
            }
            let fraction = measure.flatMap { each in amount.map { $0 / each.whole } } ?? share
            return "\(quantity.rawValue)=\(fraction.rounded(toDigits: digits, rule).plain)"
        }

        /// What a model has left, as this limit would ask for it.
        ///
        /// - Parameters:
        ///   - amount: of the quantity, in ones.
        ///   - whole: what the model given has of it.
        public func text(left amount: Double, of whole: Double) -> String {
            var limit = self
            limit.measure = Measure(whole: whole)
            return limit.text(atShare: whole > 0 ? amount / whole : 0)
        }

        /// The number that `text(atShare:)` is made of: an amount in ones, or a fraction.
        ///
        /// - Parameter share: of the cost that is left, 0 … 1.
        public func value(atShare share: Double) -> Double {
            guard quantity != .sparsity else { return 1 - share }
            guard let measure else { return share }
            let amount = measure.amount(atShare: share)
            return unit == nil ? amount / measure.whole : amount
        }

        /// What the model given has, in this limit's unit: "7.43MB".
        func whole(_ whole: Double) -> String { (unit ?? .one).text(whole, of: quantity) }
    }
}

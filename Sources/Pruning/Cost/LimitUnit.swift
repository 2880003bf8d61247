import Foundation

/// What the number of an absolute limit counts, by its symbol: `k` of "500k", `MB` of "2MB".
public enum LimitUnit: String, Codable, Sendable, CaseIterable {
    case one = ""
    case thousand = "k"
    case million = "M"
    case billion = "G"
    case trillion = "T"
    case byte = "B"
    case kilobyte = "KB"
    case megabyte = "MB"
    case gigabyte = "GB"
    case kibibyte = "KiB"
    case mebibyte = "MiB"
    case gibibyte = "GiB"

    private static let counts: [LimitUnit] = [.one, .thousand, .million, .billion, .trillion]
    private static let decimalBytes: [LimitUnit] = [.byte, .kilobyte, .megabyte, .gigabyte]
    private static let binaryBytes: [LimitUnit] = [.byte, .kibibyte, .mebibyte, .gibibyte]

    /// How many of the quantity one is.
    public var scale: Double {
        switch self {
        case .one, .byte: 1
        case .thousand, .kilobyte: 1e3
        case .million, .megabyte: 1e6
        case .billion, .gigabyte: 1e9
        case .trillion: 1e12
        case .kibibyte: 0x1p10
        case .mebibyte: 0x1p20
        case .gibibyte: 0x1p30
        }
    }

    /// The units that a quantity may be given in; none where it is a share alone.
    static func all(of quantity: Budget.Quantity) -> [LimitUnit] {
        switch quantity {
        case .macs, .params: counts
        case .bytes: [.one] + decimalBytes + binaryBytes.dropFirst()
        case .sparsity: []
        }
    }

    /// The unit of a quantity by its symbol, in upper or lower case where that leaves no doubt; nil for one that it
    /// does not have.
    init?(_ symbol: String, of quantity: Budget.Quantity) {
        let units = Self.all(of: quantity)
        let exact = units.first { $0.rawValue == symbol }
        // "m" might be thousandths, "K" and "mb" are nothing else.
        let loose = units.first {
            ($0 == .thousand || quantity == .bytes) && $0.rawValue.lowercased() == symbol.lowercased()
        }
        guard let unit = exact ?? loose else { return nil }
        self = unit
    }

    /// An amount as a target says it, in the largest unit of this one's kind that it holds one of: "1.99MB".
    ///
    /// - Parameters:
    ///   - amount: at least 0, in ones.
    ///   - quantity: whose amount.
    ///   - digits: significant ones.
    ///   - rule: how it is rounded to them.
    func text(
        _ amount: Double, of quantity: Budget.Quantity, digits: Int = 4,
        rounding rule: FloatingPointRoundingRule = .toNearestOrEven
    ) -> String {
        let isBinary = Self.binaryBytes.dropFirst().contains(self)
        let family = quantity == .bytes ? isBinary ? Self.binaryBytes : Self.decimalBytes : Self.counts
        let unit = family.last { amount >= $0.scale } ?? family[0]
        return (amount / unit.scale).rounded(toDigits: digits, rule).plain + unit.rawValue
    }
}

extension Double {
    /// With so many significant digits; 0 for what is not above 0.
    func rounded(toDigits digits: Int, _ rule: FloatingPointRoundingRule) -> Double {
        guard self > 0 else { return 0 }
        let places = digits - 1 - Int(Foundation.log10(self).rounded(.down))
        // Powers of ten as whole numbers, so that 3 digits of 0.0234 are no more than those.
        let scale = Foundation.pow(10, Double(abs(places)))
        return places >= 0 ? (self * scale).rounded(rule) / scale : (self / scale).rounded(rule) * scale
    }
}

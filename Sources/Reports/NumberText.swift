import Files
import Foundation

/// Numbers as text for people: the same in every locale, with a true minus sign and no trailing zeros.
public enum NumberText {
    /// About `digits` significant digits: "0.8213", "12.4", "1,024", "3.5e−07"; "—" for NaN, "∞" for infinities.
    ///
    /// Whole numbers below 10¹⁵ are written in full with thousands separators, whatever `digits` says.
    public static func short(_ value: Double, digits: Int = 4) -> String {
        if let special = special(value) { return special }
        if value == 0 { return "0" }
        if value == value.rounded(), abs(value) < 1e15 {
            return grouped(Int(value))
        }
        let exponent = Int(floor(log10(abs(value))))
        if exponent < -4 || exponent >= 15 {
            return scientific(value, digits: digits)
        }
        return fixed(value, decimals: max(0, digits - 1 - exponent))
    }

    /// With a fixed number of decimals and thousands separators, for columns of one quantity: "1,234.50".
    public static func fixed(_ value: Double, decimals: Int, keepZeros: Bool = false) -> String {
        if let special = special(value) { return special }
        guard abs(value) < 1e15 else { return scientific(value, digits: 4) }
        let text = String(format: "%.\(max(0, min(decimals, 17)))f", abs(value))
        let parts = text.split(separator: ".")
        var fraction = parts.count > 1 ? String(parts[1]) : ""
        if !keepZeros {
            while fraction.hasSuffix("0") { fraction.removeLast() }
        }
        let whole = groupThousands(String(parts[0]))
        let isZero = !text.contains { $0 != "0" && $0 != "." }
        let sign = value < 0 && !isZero ? "−" : ""
        return sign + (fraction.isEmpty ? whole : whole + "." + fraction)
    }

    /// The same in ASCII and without separators, for pictures and logs: "1234.50", "-0.25"; "nan", "inf".
    public static func plain(_ value: Double, decimals: Int) -> String {
        guard value.isFinite else { return "\(value)" }
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = (abs(value) * scale).rounded()
        guard scaled < 1e15 else { return "\(value)" }
        let (whole, rest) = Int(scaled).quotientAndRemainder(dividingBy: Int(scale))
        let sign = value < 0 && scaled > 0 ? "-" : ""
        return "\(sign)\(whole)" + (decimals == 0 ? "" : "." + rest.padded(to: decimals))
    }

    /// With an SI-like prefix for counts: "35.7 M", "1.2 G", "980"; three significant digits.
    public static func compact(_ value: Double) -> String {
        if let special = special(value) { return special }
        let steps: [(Double, String)] = [(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")]
        for (scale, symbol) in steps where abs(value) >= scale * 0.9995 {
            return short3(value / scale) + " " + symbol
        }
        return short3(value)
    }

    /// Bytes with binary prefixes: "512 B", "1.5 MiB".
    public static func bytes(_ count: Double) -> String {
        if let special = special(count) { return special }
        let steps: [(Double, String)] = [(0x1p40, "TiB"), (0x1p30, "GiB"), (0x1p20, "MiB"), (0x1p10, "KiB")]
        for (scale, symbol) in steps where abs(count) >= scale {
            return short3(count / scale) + " " + symbol
        }
        return short3(count) + " B"
    }

    /// A share as a percentage with one decimal: 0.4375 → "43.8 %".
    public static func percent(_ fraction: Double, decimals: Int = 1) -> String {
        special(fraction) ?? fixed(fraction * 100, decimals: decimals, keepZeros: true) + " %"
    }

    /// A coordinate inside markup: at most two decimals, ASCII only.
    static func coordinate(_ value: Double) -> String {
        let clamped = value.isFinite ? min(max(value, -1e7), 1e7) : 0
        let hundredths = Int((clamped * 100).rounded())
        if hundredths % 100 == 0 { return String(hundredths / 100) }
        let magnitude = abs(hundredths)
        var text = (hundredths < 0 ? "-" : "") + "\(magnitude / 100)."
        text +=
            magnitude % 10 == 0 ? "\(magnitude % 100 / 10)" : (magnitude % 100 < 10 ? "0" : "") + "\(magnitude % 100)"
        return text
    }

    private static func special(_ value: Double) -> String? {
        if value.isNaN { return "—" }
        if value.isInfinite { return value < 0 ? "−∞" : "∞" }
        return nil
    }

    private static func short3(_ value: Double) -> String {
        guard value != 0 else { return "0" }
        let exponent = Int(floor(log10(abs(value))))
        return fixed(value, decimals: max(0, min(2 - exponent, 6)))
    }

    private static func scientific(_ value: Double, digits: Int) -> String {
        let text = String(format: "%.\(max(0, min(digits - 1, 16)))e", abs(value))
        let parts = text.split(separator: "e")
        var mantissa = String(parts[0])
        if mantissa.contains(".") {
            while mantissa.hasSuffix("0") { mantissa.removeLast() }
            if mantissa.hasSuffix(".") { mantissa.removeLast() }
        }
        let exponent = Int(parts[1]) ?? 0
        return (value < 0 ? "−" : "") + mantissa + "e" + (exponent < 0 ? "−\(-exponent)" : "\(exponent)")
    }

    private static func grouped(_ value: Int) -> String {
        (value < 0 ? "−" : "") + groupThousands(String(value.magnitude))
    }

    private static func groupThousands(_ digits: String) -> String {
        guard digits.count > 4 else { return digits }
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return result
    }
}

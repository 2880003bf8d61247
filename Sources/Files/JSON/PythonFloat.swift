/// Floating-point numbers as Python prints them.
package enum PythonFloat {
    /// As Python's `json` writes any number.
    package static func text(_ value: Double) -> String {
        if value.isFinite { return repr(value) }
        return value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
    }

    /// Python's `repr(float)` of a finite number: the shortest digits that read back the same, always with a point or
    /// an exponent; an exponent of at least two digits below 1e-4 and from 1e16 on.
    package static func repr(_ value: Double) -> String {
        // Swift prints the same shortest digits but changes to an exponent elsewhere, so only the digits are taken.
        var digits: [Character] = []
        var exponent = 0
        var pointPosition: Int?
        let parts = value.magnitude.description.split(separator: "e")
        for character in parts[0] {
            if character == "." { pointPosition = digits.count } else { digits.append(character) }
        }
        if parts.count == 2 { exponent = Int(parts[1]) ?? 0 }
        // value = 0.d₁d₂d₃… · 10^point
        var point = (pointPosition ?? digits.count) + exponent
        while digits.count > 1, digits.first == "0" {
            digits.removeFirst()
            point -= 1
        }
        while digits.count > 1, digits.last == "0" { digits.removeLast() }
        if digits == ["0"] { point = 1 }

        let sign = value.sign == .minus ? "-" : ""
        if point <= -4 || point > 16 {
            let power = point - 1
            let fraction = digits.count > 1 ? "." + String(digits[1...]) : ""
            let padding = abs(power) < 10 ? "0" : ""
            return "\(sign)\(digits[0])\(fraction)e\(power < 0 ? "-" : "+")\(padding)\(abs(power))"
        }
        if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + String(digits) }
        if point >= digits.count {
            return sign + String(digits) + String(repeating: "0", count: point - digits.count) + ".0"
        }
        return sign + String(digits[..<point]) + "." + String(digits[point...])
    }
}

/// Numbers in the names of files.
package enum FileNumber {
    /// With leading zeros to six digits, so that names sort as their numbers do: 7 as "000007".
    package static func text(_ number: Int) -> String { number.padded(to: 6) }
}

extension BinaryInteger {
    /// With leading zeros to at least `width` digits.
    package func padded(to width: Int, radix: Int = 10) -> String {
        let digits = String(self, radix: radix)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

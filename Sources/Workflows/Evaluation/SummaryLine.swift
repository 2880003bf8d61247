import Reports

/// The columns of summaries.
enum SummaryLine {
    static func name(_ name: String) -> String { "  " + name + String(repeating: " ", count: max(1, 14 - name.count)) }

    static func fixed(_ value: Double, _ decimals: Int) -> String {
        NumberText.fixed(value, decimals: decimals, keepZeros: true)
    }
}

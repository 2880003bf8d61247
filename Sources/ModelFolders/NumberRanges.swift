/// Ascending numbers as text: "0-3 5 7-8".
enum NumberRanges {
    static func text(_ numbers: [Int]) -> String {
        var ranges: [ClosedRange<Int>] = []
        for number in numbers {
            if let last = ranges.last, last.upperBound + 1 == number {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
        }
        return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: " ")
    }

    /// nil for what is not written so, or not below `limit`.
    static func numbers(_ text: String, below limit: Int) -> [Int]? {
        var numbers: [Int] = []
        for part in text.split(separator: " ") {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
                first > numbers.last ?? -1, first <= last, last < limit
            else { return nil }
            numbers += first...last
        }
        return numbers
    }
}

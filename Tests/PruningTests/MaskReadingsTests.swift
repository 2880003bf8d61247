import TestSupport
import Testing

@testable import Pruning

@Suite struct MaskReadingsTests {
    private let space: PruningSpace
    private let batches: [[Float]]

    init() throws {
        space = .channels(of: try ChainNetwork())
        batches = (0..<7).map { batch in (0..<20).map { Float(($0 * 7 + batch * 5) % 11) - 5 } }
    }

    private func readings(maximumBytes: Int) -> MaskReadings {
        var readings = MaskReadings(space, batches: 7, maximumBytes: maximumBytes)
        for batch in batches { readings.add(batch) }
        return readings
    }

    /// 20 coordinates are 80 bytes: with room for three parts seven batches become parts of 3, 3 and 1.
    @Test(arguments: [
        (0, [7]), (80, [7]), (160, [4, 3]), (240, [3, 3, 1]), (559, [2, 2, 2, 1]), (560, [1, 1, 1, 1, 1, 1, 1]),
    ])
    func neighboursAreAddedUpWhereThereIsNoRoom(maximumBytes: Int, sizes: [Int]) {
        let readings = readings(maximumBytes: maximumBytes)
        var first = 0
        let expected = sizes.map { size in
            defer { first += size }
            return (0..<20).map { index in batches[first..<(first + size)].reduce(Float(0)) { $0 + $1[index] } }
        }
        #expect(readings.parts == expected)
        // Sums of whole numbers are exact however they are grouped.
        #expect(readings.sum().values == (0..<20).map { index in batches.reduce(0) { $0 + Double($1[index]) } })
        let sizesOfParts = (0..<20).map { index in expected.reduce(0) { $0 + abs(Double($1[index])) } }
        #expect(readings.sum(abs).values == sizesOfParts)
    }

    @Test func twoReadingsAreReadSideBySide() {
        let (one, other) = (readings(maximumBytes: 560), readings(maximumBytes: 560))
        let expected = (0..<20).map { index in batches.reduce(0) { $0 + abs(3 * Double($1[index]) - 1) } }
        #expect(one.sum(with: other) { abs(2 * $0 + $1 - 1) }.values == expected)
    }
}

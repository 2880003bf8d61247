import Testing

@testable import Pruning

/// Whole numbers from fractions.
@Suite struct ApportionmentTests {
    private func apportioned(
        _ quotas: [Double], _ total: Int, minimum: [Int] = [0, 0, 0], maximum: [Int] = [9, 9, 9]
    ) -> [Int] {
        Selection.apportioned(quotas, total: total, minimum: minimum, maximum: maximum)
    }

    @Test func theLargestRemaindersRoundUp() {
        #expect(apportioned([2.7, 3.6, 5.4], 11) == [3, 3, 5])
        #expect(apportioned([2.7, 3.6, 5.4], 12) == [3, 4, 5])
        // The first of equal ones.
        #expect(apportioned([1.5, 1.5, 1.5], 4) == [2, 1, 1])
        #expect(apportioned([1, 2, 3], 6) == [1, 2, 3])
    }

    @Test func whatOneCannotTakeGoesToTheNext() {
        #expect(apportioned([2.7, 2.7, 0.6], 6, maximum: [2, 9, 9]) == [2, 3, 1])
        #expect(apportioned([4.2, 0.4, 0.4], 5, maximum: [1, 9, 9]) == [1, 2, 2])
        // No more than there is.
        #expect(apportioned([2, 2, 2], 6, maximum: [1, 1, 1]) == [1, 1, 1])
    }

    @Test func whatOneMustHaveIsTakenFromTheOthers() {
        #expect(apportioned([0.4, 0.4, 5.2], 6, minimum: [1, 1, 0]) == [1, 1, 4])
        #expect(apportioned([0.1, 3.1, 3.8], 7, minimum: [2, 0, 0]) == [2, 2, 3])
    }
}

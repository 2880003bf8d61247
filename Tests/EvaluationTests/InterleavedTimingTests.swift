import Foundation
import Testing

@testable import Evaluation

@Suite struct InterleavedTimingTests {
    @Test func worksAlternateAndTheOrderTurns() throws {
        var order = ""
        let timing = try InterleavedTiming.measure(
            leastRounds: 4, mostRounds: 4, enough: .zero, warmUp: 1, { order += "a" }, { order += "b" })
        #expect(order == "ab" + "ab" + "ba" + "ab" + "ba")
        #expect(timing.rounds == 4)
    }

    @Test func longerWorkTakesLonger() throws {
        let timing = try InterleavedTiming.measure(
            leastRounds: 9, mostRounds: 9, enough: .zero, warmUp: 0, { usleep(1000) }, { usleep(20_000) })
        #expect(timing.first.median >= 1)
        #expect(timing.second.median >= 20)
        #expect(timing.ratio.median > 1.5)
    }

    @Test func errorsComeThrough() {
        struct Stop: Error {}
        #expect(throws: Stop.self) { try InterleavedTiming.measure({ throw Stop() }, {}) }
    }
}

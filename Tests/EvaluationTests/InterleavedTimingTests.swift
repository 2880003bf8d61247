import Foundation
import Testing
import Timing

@Suite struct InterleavedTimingTests {
    @Test func worksAlternateAndTheOrderTurns() throws {
        var order = ""
        var rounds = InterleavedRounds(exactly: 4)
        rounds.warmUp = 1
        let timing = try InterleavedTiming.measure({ order += "a" }, { order += "b" }, rounds: rounds)
        #expect(order == "ab" + "ab" + "ba" + "ab" + "ba")
        #expect(timing.rounds == 4)
    }

    @Test func longerWorkTakesLonger() throws {
        let timing = try InterleavedTiming.measure(
            { usleep(1000) }, { usleep(20_000) }, rounds: InterleavedRounds(exactly: 9))
        #expect(timing.first.median >= 1)
        #expect(timing.second.median >= 20)
        #expect(timing.ratio.median > 1.5)
    }

    /// What is prepared is not timed, and done before every run.
    @Test func preparationIsNotTimed() throws {
        var order = ""
        var rounds = InterleavedRounds(exactly: 2)
        rounds.warmUp = 0
        let times = try rounds.measure([
            .init(
                prepare: {
                    usleep(20_000)
                    order += "p"
                }, run: { order += "a" }), .init(run: { order += "b" }), .init(run: { order += "c" }),
        ])
        #expect(order == "pabc" + "cbpa")
        #expect(times.map(\.count) == [2, 2, 2])
        #expect(times[0].allSatisfy { $0 < 20 })
    }

    @Test func roundsStopWhenEnoughTimeHasGoneBy() throws {
        var rounds = InterleavedRounds()
        (rounds.minimumRounds, rounds.maximumRounds, rounds.warmUp) = (2, 1000, 0)
        rounds.timeLimit = .milliseconds(20)
        let times = try rounds.measure([.init(run: { usleep(5000) })])
        #expect((2...5).contains(times[0].count))
    }

    @Test func errorsComeThrough() {
        struct Stop: Error {}
        #expect(throws: Stop.self) { try InterleavedTiming.measure({ throw Stop() }, {}) }
    }
}

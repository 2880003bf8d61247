import Foundation
import Runs
import Testing

@Suite struct TimetableTests {
    /// Two updates of a pass of gradients and one of curvature, steps, and steps of what is left.
    private func timetable() -> Timetable {
        Timetable([
            .init("loss", pieces: 4, weight: 3, noun: "mask update", count: 1),
            .init("later loss", pieces: 4, weight: 6, noun: "mask update", count: 0),
            .init("step", pieces: 10, weight: 12, noun: "step"),
            .init("compact step", pieces: 30, weight: 6, noun: "step"),
        ])
    }

    @Test func whatWasNotMeasuredIsExpectedByItsWeight() {
        var timetable = timetable()
        #expect(timetable.remaining == nil && timetable.outlook == nil)
        // The first piece of a kind warms up: it counts until there is another.
        timetable.finish(0, seconds: 30)
        #expect(timetable.remaining == 3330)  // 3 of 30 s, 4 of 60, 10 of 120, 30 of 60
        timetable.finish(0, seconds: 3)
        #expect(timetable.remaining == 330)
        // Steps turn out dearer: so do those of what is left.
        timetable.measure("step", seconds: 99)
        timetable.measure("step", seconds: 27)
        // 30 s for a weight of 15: twice as long as their weights.
        let (measured, expected) = (2 * 3 + 10 * 27, 2 * (4 * 6 + 30 * 6))
        #expect(timetable.remaining == Double(measured + expected))
    }

    @Test func whatIsOverTakesNoMoreTime() {
        var timetable = timetable()
        for _ in 0..<2 { timetable.finish(0, seconds: 3) }
        timetable.leave(0)
        timetable.leave(1)
        #expect(timetable.remaining == 300)
        for stretch in [2, 3] { timetable.leave(stretch) }
        #expect(timetable.remaining == 0)
    }

    @Test func laterPiecesCountMore() {
        var timetable = Timetable([.init("step", pieces: 1000, weight: 1, noun: "step")])
        for _ in 0..<200 { timetable.finish(0, seconds: 1) }
        for _ in 0..<200 { timetable.finish(0, seconds: 2) }
        let each = (timetable.remaining ?? 0) / 600
        #expect(abs(each - 2) < 0.01)
    }

    @Test func theOutlookCountsWhatTheUserCounts() throws {
        var timetable = timetable()
        timetable.append(.init("loss", pieces: 4, weight: 3, noun: "mask update", count: 1))
        timetable.append(.init("later loss", pieces: 4, weight: 6, noun: "mask update", count: 0))
        for _ in 0..<2 { timetable.measure("loss", seconds: 3) }
        for (kind, seconds) in [("later loss", 4.5), ("step", 1.2), ("compact step", 0.8)] {
            timetable.measure(kind, seconds: seconds)
        }
        let outlook = try #require(timetable.outlook)
        #expect(outlook.items.map(\.count) == [2, 40])
        #expect(outlook.items.map(\.seconds) == [60, 36])
        #expect(outlook.description == "2 mask updates of about 30 s, 40 steps of about 0.9 s: about 96 s")
        #expect(
            Outlook(items: [.init(noun: "loss", count: 7, seconds: 7), .init(noun: "step", count: 1, seconds: 1)])
                .description == "7 losses of about 1 s, 1 step of about 1 s: about 8 s")
    }

    @Test func durationsAreAsExactAsEstimates() {
        let texts: [(seconds: Double, text: String)] = [
            (0.0004, "1 ms"), (0.0034, "3 ms"), (0.043, "40 ms"), (0.9, "0.9 s"), (2.04, "2 s"), (9.94, "9.9 s"),
            (29.6, "30 s"), (119, "2 min"), (1210, "20 min"), (7100, "2 h"), (12_000, "3 h 20 min"),
            (259_200, "3 days"), (.infinity, "years"),
        ]
        for (seconds, text) in texts { #expect(DurationText.rough(seconds) == text) }
    }

    @Test func clocksCountDown() {
        #expect(DurationText.clock(51.2) == "0:52" && DurationText.clock(3723) == "1:02:03")
        #expect(DurationText.clock(-1) == "0:00" && DurationText.clock(.infinity) == "—")
    }

    @Test func aReporterSaysOnceHowLongAllTakesAndAlwaysHowLongIsLeft() {
        var time = 0.0
        var news: [ProgressUpdate] = []
        let reporter = ProgressReporter({ news.append($0) }, timetable(), stated: ["loss", "step"], now: { time })
        func update(_ number: Int) -> ProgressUpdate {
            ProgressUpdate(phase: "scoring", unit: "batch", completed: number, total: 4, place: "mask update 1 of 2")
        }
        for _ in 0..<2 { reporter.tried("step") { time += 12 } }
        #expect(news.isEmpty)
        for number in 1...4 {
            time += 100  // Between pieces: nobody's.
            reporter.at(update(number))
            time += 3
            reporter.finished(0)
        }
        #expect(
            news.map(\.position).filter { $0.hasPrefix("scoring") }.first == "scoring batch 1 of 4 (mask update 1 of 2)"
        )
        let statements = news.filter(\.isStatement)
        #expect(statements.count == 1)
        // Said after the second batch, which the steps that were tried out came before.
        #expect(news.firstIndex { $0.isStatement } == 2)
        #expect(statements[0].phase == "1 mask update of about 30 s, 40 steps of about 7.5 s: about 6 min")
        #expect(news.last?.remaining == 327)
    }

    @Test func nounsHaveTheirPlurals() {
        for (noun, plural) in [("step", "steps"), ("batch", "batches"), ("trajectory", "trajectories")] {
            let outlook = Outlook(items: [.init(noun: noun, count: 3, seconds: 3)])
            #expect(outlook.description.hasPrefix("3 \(plural) of about 1 s"))
        }
    }
}

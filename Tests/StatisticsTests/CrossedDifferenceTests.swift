import Statistics
import Testing

@Suite struct CrossedDifferenceTests {
    /// By hand: M_S = 1.5, M_P = 1.5, M_E = 0.5, so that the variance is 2.5/6 with 6.25/3.5 degrees of freedom.
    @Test func twoSeedsOfThreePictures() throws {
        let found = try CrossedDifference([[1, 2, 3], [2, 4, 3]])
        #expect(abs(found.mean - 2.5) < 1e-12)
        let interval = try #require(found.interval)
        let half = 12.706204736 * (2.5 / 6).squareRoot()
        #expect(abs(interval.upperBound - 2.5 - half) < 1e-6 && abs(2.5 - interval.lowerBound - half) < 1e-6)
        #expect(!found.isSignificant)
    }

    @Test func oneSeedIsOverPicturesAlone() throws {
        let values = [0.1, 0.3, 0.2, 0.5, 0.4]
        let found = try CrossedDifference([values])
        let plain = try SampleStatistics(values)
        let (mine, theirs) = (try #require(found.interval), try #require(plain.confidenceInterval95))
        #expect(abs(mine.lowerBound - theirs.lowerBound) < 1e-12 && abs(mine.upperBound - theirs.upperBound) < 1e-12)
        #expect(found.isSignificant)
        #expect(try CrossedDifference([[0.1]]).interval == nil)
        #expect(try CrossedDifference([[0.2, 0.2], [0.2, 0.2]]).isSignificant)
        #expect(throws: StatisticsError.self) { try CrossedDifference([]) }
        #expect(throws: StatisticsError.self) { try CrossedDifference([[.nan]]) }
    }

    /// Where seeds differ as much as pictures, an interval over pictures alone would miss the truth most of the time.
    @Test func intervalsHoldTheTruthAsOftenAsTheySay() throws {
        var state: UInt64 = 7
        func uniform() -> Double {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(state >> 11) / 0x1p53
        }
        // Nearly normal: twelve uniform numbers.
        func normal() -> Double { (0..<12).reduce(-6.0) { sum, _ in sum + uniform() } }
        var held = 0
        let trials = 600
        for _ in 0..<trials {
            let pictures = (0..<16).map { _ in normal() }
            let values = (0..<4).map { _ in
                let seed = normal()
                return pictures.map { $0 + seed + normal() }
            }
            if try CrossedDifference(values).interval?.contains(0) == true { held += 1 }
        }
        #expect((0.92...0.995).contains(Double(held) / Double(trials)), "\(held) of \(trials)")
    }
}

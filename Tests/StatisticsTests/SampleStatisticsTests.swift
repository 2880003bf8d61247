import Foundation
import Statistics
import TestSupport
import Testing

private struct Oracle: Decodable {
    struct Sample: Decodable {
        let name: String
        let values: [Double]
        let mean: Double
        let std: Double
        let ci95: [Double]
        let quartiles: [Double]
    }
    let samples: [Sample]
    /// [degrees of freedom, confidence, t].
    let studentT: [[Double]]

    enum CodingKeys: String, CodingKey {
        case samples
        case studentT = "student_t"
    }
}

@Suite struct SampleStatisticsTests {
    @Test func statisticsAgreeWithSciPy() throws {
        for sample in try Fixtures.json("evaluation/statistics.json", as: Oracle.self).samples {
            let statistics = try SampleStatistics(sample.values)
            let interval = try #require(statistics.confidenceInterval95)
            #expect(close(statistics.mean, sample.mean, 1e-14), "\(sample.name)")
            // Relative, since the spread of "offset" is a billionth of its mean.
            #expect(abs(try #require(statistics.standardDeviation) / sample.std - 1) < 1e-9, "\(sample.name)")
            #expect(close(interval.lowerBound, sample.ci95[0], 1e-12), "\(sample.name)")
            #expect(close(interval.upperBound, sample.ci95[1], 1e-12), "\(sample.name)")
            let quartiles = [statistics.lowerQuartile, statistics.median, statistics.upperQuartile]
            #expect(zip(quartiles, sample.quartiles).allSatisfy { close($0, $1, 1e-14) }, "\(sample.name)")
        }
    }

    @Test func studentQuantilesAgreeWithSciPy() throws {
        for row in try Fixtures.json("evaluation/statistics.json", as: Oracle.self).studentT {
            let t = StudentT.twoSidedQuantile(confidence: row[1], degreesOfFreedom: Int(row[0]))
            #expect(abs(t / row[2] - 1) < 1e-9, "\(row): \(t)")
        }
    }

    @Test func oneValueHasNoSpread() throws {
        let one = try SampleStatistics([0.5])
        #expect(one.standardDeviation == nil && one.confidenceInterval95 == nil && one.median == 0.5)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        #expect(
            String(decoding: try encoder.encode(one), as: UTF8.self)
                == #"{"ci95":null,"count":1,"max":0.5,"mean":0.5,"median":0.5,"min":0.5,"q1":0.5,"q3":0.5,"std":null}"#)
    }

    @Test func equalValuesHaveZeroSpreadExactly() throws {
        let equal = try SampleStatistics([Double](repeating: 0.1, count: 7))
        #expect(equal.mean == 0.1)
        #expect(equal.standardDeviation == 0)
        #expect(equal.confidenceInterval95 == 0.1...0.1)
        #expect(equal.lowerQuartile == 0.1 && equal.upperQuartile == 0.1)
    }

    @Test func badSamplesAreRefused() {
        #expect(throws: StatisticsError.tooFewSamples(what: "a mean", got: 0, needed: 1)) { try SampleStatistics([]) }
        #expect(throws: StatisticsError.notFinite(what: "the list of measurements", index: 2)) {
            try SampleStatistics([1, 2, .infinity])
        }
        // Finite values whose squares and sums are not.
        #expect(throws: StatisticsError.tooLarge(what: "the list of measurements")) {
            try SampleStatistics([Double.greatestFiniteMagnitude, -Double.greatestFiniteMagnitude])
        }
    }
}

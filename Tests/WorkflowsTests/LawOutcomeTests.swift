import Files
import Foundation
import PruningMethods
import Testing

@testable import Workflows

@Suite struct LawOutcomeTests {
    private func outcome(_ remaining: [Double], lowest: Double = 0.01, wanted: Double = 0.9) throws -> LawOutcome {
        let configuration = try LawConfiguration(
            file: nil, overrides: ["pruning.target=sparsity=\(wanted)", "pruning.granularity=weight"])
        let runs = remaining.enumerated().map {
            LawRun(pressure: pow(10, Double($0) - 2), epochs: [1, $1])
        }
        return try LawOutcome(
            configuration, runs: runs, lowest: lowest, in: FileManager.default.temporaryDirectory, command: "")
    }

    @Test func pressuresLieAtEqualRatiosBetweenTheEnds() throws {
        var plan = LawPlan()
        (plan.lowest, plan.highest, plan.points) = (0.03, 30, 4)
        let pressures = plan.pressures
        #expect(pressures.first == 0.03 && pressures.last == 30 && pressures.count == 4)
        for (a, b) in zip(pressures, pressures.dropFirst()) { #expect(abs(b / a - 10) < 1e-9) }
        // Over four decades, six of them, unless told otherwise.
        #expect(LawPlan().pressures.count == 6 && LawPlan().highest / LawPlan().lowest == 1e4)
    }

    /// Where nothing left, and where nothing more may leave, no law is told.
    @Test func whatSaysNothingIsNotFitted() throws {
        let found = try outcome([1, 0.8, 0.4, 0.2, 0.1, 0.0101])
        #expect(
            found.runs.map { $0.use(above: 0.01) } == [.allThere, .fitted, .fitted, .fitted, .fitted, .lowest])
        let pure = try #require(found.pure)
        let points = zip([0.1, 1, 10, 100], [0.8, 0.4, 0.2, 0.1])
            .map { PressureLaw.Point(pressure: $0, remaining: $1) }
        #expect(abs(pure.exponent - (try PressureLaw(fitting: points, form: .pure)).exponent) < 1e-12)
        // On the curve: s halves a decade.
        #expect(abs(pure.exponent - log(2) / log(10)) < 1e-9)
        let prediction = try #require(found.prediction)
        #expect(prediction.law.form == .quadratic)
        #expect(abs(prediction.law.remaining(at: prediction.pressure) - 0.1) < 1e-9)
    }

    @Test func withThreePointsThePureLawPredicts() throws {
        #expect(try outcome([0.8, 0.4, 0.2]).prediction?.law.form == .pure)
        let none = try outcome([1, 1, 0.2])
        #expect(none.pure == nil && none.prediction == nil && none.verdict.contains("no pressure is predicted"))
        #expect(none.laws == ["no law: too few pressures take something away and leave something"])
    }

    @Test func driftIsWhatTheLastFifthOfTheEpochsTook() {
        let run = LawRun(pressure: 1, epochs: [1, 0.9, 0.8, 0.5, 0.4])
        #expect(run.remaining == 0.4 && abs(run.drift - 0.2) < 1e-12)
        #expect(LawRun(pressure: 1, epochs: [0.7]).drift == 0)
    }

    @Test func theResultSaysByHowMuchThePredictionMissed() throws {
        var found = try outcome([0.8, 0.4, 0.2, 0.1])
        found.check = LawRun(pressure: 90, epochs: [1, 0.115])
        #expect(found.verdict.contains("a run at it leaves 11.5 %, +1.5 percentage points"), "\(found.verdict)")
        let prediction = try #require(try found.json["prediction"])
        #expect(abs(try #require(prediction["error"]?.doubleValue) - 0.015) < 1e-9)
        let page = try LawReport(outcome: found).page().html
        #expect(page.contains("Predicted pressure") && page.contains("0.9975"))
    }
}

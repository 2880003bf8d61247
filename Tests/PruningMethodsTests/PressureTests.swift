import Foundation
import Testing

@testable import PruningMethods

/// What leads the pressure of Hyperflows, against the figures of the released code.
@Suite struct PressureTests {
    @Test(arguments: [
        (0.02, 0.924170, [92.79, 17.19, 4.66, 2.471, 2.000]),
        (0.10, 0.955273, [95.75, 35.89, 16.71, 11.43, 10.00]),
    ])
    func theTrajectoryIsThePublishedOne(target: Double, slowest: Double, percent: [Double]) throws {
        let trajectory = PressureTrajectory(epochs: 100, target: target)
        #expect(abs(try #require(trajectory.slowest) - slowest) < 1e-6)
        for (epoch, expected) in zip([1, 25, 50, 75, 100], percent) {
            // As many digits as are given.
            let tolerance = expected > 10 ? 0.005 : expected > 3 ? 0.0051 : 0.0005
            #expect(abs(100 * trajectory.remaining(after: epoch) - expected) <= tolerance, "epoch \(epoch)")
        }
        #expect(trajectory.remaining(after: 0) == 1)
    }

    /// Two epochs cannot reach 2 % by any s, and a hundred lose more than 1 %: equal factors do.
    @Test(arguments: [(2, 0.02), (1, 0.5), (100, 0.99)])
    func whereNoSlopeLeadsThereAllEpochsHaveOneFactor(epochs: Int, target: Double) {
        let trajectory = PressureTrajectory(epochs: epochs, target: target)
        #expect(trajectory.slowest == nil)
        #expect(abs(trajectory.remaining(after: epochs) - target) < 1e-12)
        for epoch in 1...epochs {
            let factor = trajectory.remaining(after: epoch) / trajectory.remaining(after: epoch - 1)
            #expect(abs(factor - pow(target, 1 / Double(epochs))) < 1e-12)
        }
    }

    /// What is left now, or what will be if it goes on as it does.
    @Test func itIsTooDenseByWhatWillBeLeft() {
        // R = 0.04^(e/2): 1, 0.2, 0.04.
        let trajectory = PressureTrajectory(epochs: 2, target: 0.04)
        func exceeds(_ remaining: Double, _ previous: Double, _ epoch: Int, _ lookahead: Int) -> Bool {
            trajectory.isExceeded(by: remaining, previously: previous, after: epoch, lookahead: lookahead)
        }
        #expect(exceeds(0.21, 0.9, 1, 0) && !exceeds(0.19, 0.9, 1, 0))
        // 0.21·0.21/1 = 0.0441, 0.19·0.19/1 = 0.0361.
        #expect(exceeds(0.21, 1, 1, 1) && !exceeds(0.19, 1, 1, 1))
        // What grew is not taken to go on growing, and there is nothing to look at behind the last epoch.
        #expect(!exceeds(0.039, 0.03, 1, 1) && exceeds(0.041, 1, 2, 7))
    }

    private func pressures(_ isTooDense: [Bool], step: Double = 0.2) -> [Double] {
        var scheduler = PressureScheduler()
        return isTooDense.map {
            scheduler.advance(isTooDense: $0, step: step)
            return scheduler.pressure
        }
    }

    private func expect(_ found: [Double], _ expected: [Double], sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(found.count == expected.count, sourceLocation: sourceLocation)
        for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-12, "\(found)", sourceLocation: sourceLocation) }
    }

    @Test func pressureRisesEverFasterWhileItIsTooDense() {
        expect(
            pressures(Array(repeating: true, count: 8)), [0.2, 0.45, 0.75, 1.1, 1.5, 1.95, 2.45, 3.0])
        expect(pressures([true, true], step: 0.15), [0.15, 0.3375])
    }

    /// 3.0, then − .2, − .25, − .3; what was gained of haste is gone as soon as it turns.
    @Test func pressureFallsTheSameWayAndStartsAnewWhenItTurns() {
        let rise = Array(repeating: true, count: 8)
        expect(
            Array(pressures(rise + [false, false, false, true, true, false]).suffix(6)),
            [2.8, 2.55, 2.25, 2.45, 2.7, 2.5])
    }

    @Test func pressureIsNeverNegative() {
        expect(pressures([false, false, true, false, false]), [0, 0, 0.2, 0, 0])
    }

    @Test func theLossHasThePressureToThePowerOfOneAndAHalf() {
        #expect(PressureScheduler.effective(4) == 8 && PressureScheduler.effective(0) == 0)
        #expect(abs(PressureScheduler.pressure(of: 8) - 4) < 1e-12)
    }

    @Test func softStepsAreDividedEvenlyAndPruningComesFirst() {
        let epochs = PressureEpochs(steps: 103, pruning: 8, regrowth: 2)
        #expect(epochs.pruning == 8 && epochs.regrowth == 2 && epochs.count == 10)
        #expect(epochs.lengths == [10, 10, 10, 11, 10, 10, 11, 10, 10, 11])
        #expect([0, 9, 10, 81, 82, 102, 103].map(epochs.epoch) == [1, 1, 2, 8, 9, 10, 11])
        #expect(abs(epochs.meanLength - 10.3) < 1e-12)
        // One a step where there are not enough, in proportion.
        let few = PressureEpochs(steps: 5, pruning: 40, regrowth: 10)
        #expect(few.pruning == 4 && few.regrowth == 1 && few.lengths == [1, 1, 1, 1, 1])
        #expect(PressureEpochs(steps: 1, pruning: 1, regrowth: 9).pruning == 1)
        #expect(PressureEpochs(steps: 0, pruning: 40, regrowth: 10).count == 0)
    }
}

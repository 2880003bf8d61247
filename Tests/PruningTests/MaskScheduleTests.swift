import Foundation
import Pruning
import Testing

@Suite struct MaskScheduleTests {
    /// Zhu & Gupta (2017) for a final sparsity of 0.9: published formula, computed apart.
    @Test func theCubicScheduleHasItsKnownValues() {
        let golden = [0: 0, 0.1: 0.2439, 0.25: 0.52031, 0.5: 0.7875, 0.75: 0.88594, 1: 0.9]
        for (progress, sparsity) in golden {
            let density = MaskSchedule.cubic.density(at: progress, final: 0.1)
            #expect(abs((1 - density) - sparsity) < 5e-6, "at \(progress)")  // the values' last printed digit
        }
    }

    @Test func theOthersFallByEqualStepsAndEqualFactors() {
        #expect(abs(MaskSchedule.linear.density(at: 0.25, final: 0.2) - 0.8) < 1e-15)
        #expect(abs(MaskSchedule.exponential.density(at: 0.5, final: 0.25) - 0.5) < 1e-15)
        #expect(abs(MaskSchedule.exponential.density(at: 0.75, final: 0.0001) - 0.001) < 1e-15)
    }

    @Test(arguments: MaskSchedule.allCases) func everyScheduleFallsFromOneToItsEnd(schedule: MaskSchedule) {
        #expect(schedule.density(at: 0, final: 0.3) == 1)
        #expect(abs(schedule.density(at: 1, final: 0.3) - 0.3) < 1e-15)
        #expect(schedule.density(at: -1, final: 0.3) == 1)
        #expect(schedule.density(at: 2, final: 0.3) == schedule.density(at: 1, final: 0.3))
        let densities = (0...50).map { schedule.density(at: Double($0) / 50, final: 0.3) }
        #expect(zip(densities, densities.dropFirst()).allSatisfy { $0 > $1 })
    }
}

import Foundation
import TensorCore
import Testing

@testable import Diffusion

@Suite struct ScheduleTests {
    /// diffusers computes in float32, ours follows it but for the last bit of its vectorised linspace.
    @Test func betasAndAlphasAgreeWithDiffusers() throws {
        let cases: [ScheduleFixtures.ScheduleCase] = try ScheduleFixtures.load("schedules.json")
        #expect(cases.count == 22)
        var worst = (beta: 0.0, alpha: 0.0)
        for test in cases {
            var configuration = SchedulerConfiguration()
            configuration.trainTimesteps = test.configuration.numTrainTimesteps
            configuration.betaSchedule = test.configuration.betaSchedule ?? .linear
            configuration.trainedBetas = test.configuration.trainedBetas
            configuration.rescaleBetasZeroSNR = test.configuration.rescaleBetasZeroSnr
            let schedule = try NoiseSchedule(configuration)
            for (entry, step) in test.at.enumerated() {
                let beta = abs(Double(schedule.betas[step]) - test.betas[entry])
                let alpha = abs(schedule.alphasCumprod[step] - test.alphasCumprod[entry])
                // Rescaling divides small differences of float32 numbers, so its β keep fewer digits.
                #expect(beta <= (configuration.rescaleBetasZeroSNR ? 1e-5 : 1e-7), "\(test.configuration) β at \(step)")
                #expect(alpha <= 2e-6, "\(test.configuration) ᾱ at \(step)")
                worst = (max(worst.beta, beta), max(worst.alpha, alpha))
            }
            if configuration.rescaleBetasZeroSNR {
                #expect(schedule.alphasCumprod.last == 0)
            }
        }
        print("schedules: worst difference β \(worst.beta), ᾱ \(worst.alpha)")
    }

    @Test func timestepsAgreeWithDiffusersAndNumpy() throws {
        let cases: [ScheduleFixtures.SpacingCase] = try ScheduleFixtures.load("spacings.json")
        #expect(Set(cases.map(\.spacing)) == Set(TimestepSpacing.allCases))
        for test in cases {
            let timesteps = try test.spacing.timesteps(
                count: test.count, trainTimesteps: test.train, offset: test.offset)
            #expect(timesteps == test.timesteps, "\(test.spacing) \(test.count) of \(test.train)")
        }
    }

    @Test func everySpacingStaysInRangeAtEveryCount() throws {
        for spacing in TimestepSpacing.allCases {
            for train in [1, 2, 37, 1000] {
                for count in 1...train {
                    let timesteps = try spacing.timesteps(count: count, trainTimesteps: train)
                    #expect(timesteps.count == count)
                    #expect(timesteps.allSatisfy { (0..<train).contains($0) })
                    let falls = zip(timesteps, timesteps.dropFirst()).allSatisfy {
                        spacing == .quadratic ? $0 >= $1 : $0 > $1
                    }
                    #expect(falls, "\(spacing) \(count) of \(train)")
                }
            }
        }
    }

    @Test(arguments: TimestepSpacing.allCases)
    func stepCountsOutOfRangeAreRefused(spacing: TimestepSpacing) {
        for count in [0, -3, 51, .max, .min] {
            #expect(throws: SchedulerError.stepCount(got: count, trainTimesteps: 50)) {
                try spacing.timesteps(count: count, trainTimesteps: 50)
            }
        }
    }

    @Test func offsetsBeyondTheLastTimestepAreRefused() throws {
        #expect(try TimestepSpacing.leading.timesteps(count: 2, trainTimesteps: 10, offset: 4) == [9, 4])
        #expect(throws: SchedulerError.self) {
            try TimestepSpacing.leading.timesteps(count: 2, trainTimesteps: 10, offset: 5)
        }
        #expect(throws: SchedulerError.self) {
            try TimestepSpacing.leading.timesteps(count: 2, trainTimesteps: 10, offset: .max)
        }
    }

    @Test func betasOutOfRangeAreRefused() {
        let faults: [(inout SchedulerConfiguration) -> Void] = [
            { $0.betaStart = 0 },
            { $0.betaEnd = 1.5 },
            { $0.betaEnd = 1e300 },
            { $0.betaEnd = .nan },
            {
                $0.betaStart = -1e-4; $0.betaSchedule = .scaledLinear
            },
            { $0.trainedBetas = [Double](repeating: 0.1, count: 999) },
            { $0.trainedBetas = [Double](repeating: 0.1, count: 999) + [-0.1] },
            { $0.trainTimesteps = 0 },
            { $0.trainTimesteps = .max },
            {
                $0.trainTimesteps = 1; $0.rescaleBetasZeroSNR = true
            },
        ]
        for (number, fault) in faults.enumerated() {
            var configuration = SchedulerConfiguration()
            fault(&configuration)
            #expect(throws: SchedulerError.self, "fault \(number)") { try NoiseSchedule(configuration) }
        }
    }
}

@Suite struct ScheduleNoisingTests {
    @Test func noisingAndVelocityAgreeWithDiffusers() throws {
        let fixture: TrajectoryFixture = try ScheduleFixtures.load("trajectories.json")
        var configuration = SchedulerConfiguration()
        configuration.betaSchedule = .squaredCosine
        let schedule = try NoiseSchedule(configuration)
        let timesteps = fixture.noising.timesteps
        let shape = [timesteps.count, fixture.elementsPerImage]
        let (clean, noise) = (Tensor(fixture.initial, shape: shape), Tensor(fixture.noises[0], shape: shape))
        let noised = schedule.noised(clean, with: noise, timesteps: timesteps).array
        #expect(ScheduleFixtures.maximumDifference(noised, fixture.noising.noisy) <= 1e-6)
        let velocity = schedule.velocity(clean, with: noise, timesteps: timesteps).array
        #expect(ScheduleFixtures.maximumDifference(velocity, fixture.noising.velocity) <= 1e-6)
    }
}

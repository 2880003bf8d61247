import Foundation
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
    private let noisy: [Float] = [0.3, -1.2, 0.8, 2.1]
    private let timesteps = [10, 900]

    @Test func noisingAndVelocityAgreeWithDiffusers() throws {
        let fixture: TrajectoryFixture = try ScheduleFixtures.load("trajectories.json")
        var configuration = SchedulerConfiguration()
        configuration.betaSchedule = .squaredCosine
        let schedule = try NoiseSchedule(configuration)
        var noised = fixture.initial
        try fixture.initial.withUnsafeBufferPointer { clean in
            try fixture.noises[0].withUnsafeBufferPointer { noise in
                try noised.withUnsafeMutableBufferPointer {
                    try schedule.addNoise(
                        clean: clean, noise: noise, timesteps: fixture.noising.timesteps,
                        elementsPerImage: fixture.elementsPerImage, into: $0)
                }
                #expect(ScheduleFixtures.maximumDifference(noised, fixture.noising.noisy) <= 1e-6)
                try noised.withUnsafeMutableBufferPointer {
                    try schedule.velocity(
                        clean: clean, noise: noise, timesteps: fixture.noising.timesteps,
                        elementsPerImage: fixture.elementsPerImage, into: $0)
                }
                #expect(ScheduleFixtures.maximumDifference(noised, fixture.noising.velocity) <= 1e-6)
            }
        }
    }

    private func convert(
        _ prediction: [Float], _ from: PredictionType, _ target: PredictionType, _ schedule: NoiseSchedule,
        noisy: [Float], timesteps: [Int]
    ) throws -> [Float] {
        var converted = prediction
        try prediction.withUnsafeBufferPointer { prediction in
            try noisy.withUnsafeBufferPointer { noisy in
                try converted.withUnsafeMutableBufferPointer {
                    try schedule.convert(
                        prediction: prediction, from: from, to: target, noisy: noisy, timesteps: timesteps,
                        elementsPerImage: 2, into: $0)
                }
            }
        }
        return converted
    }

    /// From the definitions: x_t is made of a known x₀ and ε, so every prediction of it is known too.
    @Test func predictionsConvertIntoOneAnother() throws {
        let schedule = try NoiseSchedule(SchedulerConfiguration())
        let clean: [Float] = [0.5, -0.25, 0.75, -1]
        let noise: [Float] = [1.5, 0.2, -0.7, 0.4]
        func mix(_ weights: (Int) -> (Double, Double)) -> [Float] {
            clean.indices.map { index in
                let (a, b) = weights(timesteps[index / 2])
                return Float(a * Double(clean[index]) + b * Double(noise[index]))
            }
        }
        let noisy = mix { (schedule.signalCoefficient(at: $0), schedule.noiseCoefficient(at: $0)) }
        let known: [PredictionType: [Float]] = [
            .sample: clean, .epsilon: noise,
            .velocity: mix { (-schedule.noiseCoefficient(at: $0), schedule.signalCoefficient(at: $0)) },
        ]
        for from in PredictionType.allCases {
            for target in PredictionType.allCases {
                let got = try convert(
                    known[from] ?? [], from, target, schedule, noisy: noisy, timesteps: timesteps)
                #expect(ScheduleFixtures.maximumDifference(got, known[target] ?? []) <= 2e-5, "\(from) to \(target)")
            }
        }
    }

    @Test func conversionsWithoutSignalAreRefused() throws {
        var configuration = SchedulerConfiguration()
        configuration.rescaleBetasZeroSNR = true
        let schedule = try NoiseSchedule(configuration)
        #expect(
            throws: SchedulerError.undefinedConversion(from: .epsilon, to: .sample, timestep: 999)
        ) {
            try convert(noisy, .epsilon, .sample, schedule, noisy: noisy, timesteps: [5, 999])
        }
        #expect(try convert(noisy, .velocity, .sample, schedule, noisy: noisy, timesteps: [5, 999]).count == 4)
    }

    @Test func wrongTimestepsAndLengthsAreRefused() throws {
        let schedule = try NoiseSchedule(SchedulerConfiguration())
        for timestep in [-1, 1000, .max] {
            #expect(throws: SchedulerError.timestep(got: timestep, trainTimesteps: 1000)) {
                try convert(noisy, .epsilon, .sample, schedule, noisy: noisy, timesteps: [0, timestep])
            }
        }
        #expect(throws: SchedulerError.elementCount(buffer: "noisy", got: 3, expected: 4)) {
            try convert(noisy, .epsilon, .sample, schedule, noisy: [1, 2, 3], timesteps: timesteps)
        }
    }
}

import Foundation
import Testing

@testable import Diffusion

/// trajectories.json.
struct TrajectoryFixture: Decodable {
    struct Case: Decodable {
        struct Keys: Decodable {
            var numTrainTimesteps: Int?
            var betaSchedule: BetaSchedule?
            var varianceType: VarianceType?
            var clipSample: Bool?
            var clipSampleRange: Double?
            var predictionType: PredictionType?
            var thresholding: Bool?
            var dynamicThresholdingRatio: Double?
            var sampleMaxValue: Double?
            var timestepSpacing: TimestepSpacing?
            var stepsOffset: Int?
            var rescaleBetasZeroSnr: Bool?
            var setAlphaToOne: Bool?
        }
        let sampler: SamplerName
        let configuration: Keys
        let steps: Int
        let skipped: Int
        let eta: Double?
        let useClippedModelOutput: Bool?
        let first: [Float]
        let last: [Float]
        let estimate: [Float]
    }
    struct Noising: Decodable {
        let timesteps: [Int]
        let noisy: [Float]
        let velocity: [Float]
    }
    struct Quadratic: Decodable {
        let timesteps: [Int]
        let first: [Float]
        let last: [Float]
    }
    let images: Int
    let elementsPerImage: Int
    let initial: [Float]
    let predictions: [[Float]]
    let noises: [[Float]]
    let fractions: [[Float]]
    let cases: [Case]
    let quad: Quadratic
    let noising: Noising
}

extension SchedulerConfiguration {
    fileprivate init(_ keys: TrajectoryFixture.Case.Keys) {
        self.init()
        trainTimesteps = keys.numTrainTimesteps ?? trainTimesteps
        betaSchedule = keys.betaSchedule ?? betaSchedule
        varianceType = keys.varianceType ?? varianceType
        clipSample = keys.clipSample ?? clipSample
        clipSampleRange = keys.clipSampleRange ?? clipSampleRange
        predictionType = keys.predictionType ?? predictionType
        thresholding = keys.thresholding ?? thresholding
        dynamicThresholdingRatio = keys.dynamicThresholdingRatio ?? dynamicThresholdingRatio
        sampleMaxValue = keys.sampleMaxValue ?? sampleMaxValue
        timestepSpacing = keys.timestepSpacing ?? timestepSpacing
        stepsOffset = keys.stepsOffset ?? stepsOffset
        rescaleBetasZeroSNR = keys.rescaleBetasZeroSnr ?? rescaleBetasZeroSNR
        setAlphaToOne = keys.setAlphaToOne ?? setAlphaToOne
    }
}

/// One step of arrays; nil buffers stay nil.
private func take(
    _ sampler: any Sampler, _ stepIndex: Int, _ sample: inout [Float], prediction: [Float], noise: [Float]?,
    variance: [Float]? = nil, estimate: inout [Float], elementsPerImage: Int
) throws {
    try prediction.withUnsafeBufferPointer { prediction in
        try (noise ?? []).withUnsafeBufferPointer { noiseBuffer in
            try (variance ?? []).withUnsafeBufferPointer { varianceBuffer in
                try sample.withUnsafeMutableBufferPointer { sample in
                    try estimate.withUnsafeMutableBufferPointer { estimate in
                        try sampler.step(
                            SamplerBuffers(
                                prediction: prediction, sample: sample, noise: noise == nil ? nil : noiseBuffer,
                                variance: variance == nil ? nil : varianceBuffer, estimate: estimate),
                            stepIndex: stepIndex, elementsPerImage: elementsPerImage)
                    }
                }
            }
        }
    }
}

@Suite struct SamplerTests {
    private let fixture: TrajectoryFixture

    init() throws {
        fixture = try ScheduleFixtures.load("trajectories.json")
    }

    private func variance(_ type: VarianceType, at step: Int) -> [Float]? {
        switch type {
        case .learned: fixture.fractions[step]
        case .learnedRange: fixture.fractions[step].map { $0 * 2 - 1 }
        default: nil
        }
    }

    /// Every combination of the fixture script, five steps each, against diffusers' own schedulers.
    @Test func trajectoriesAgreeWithDiffusers() throws {
        #expect(fixture.cases.count == 116)
        var worst: (difference: Float, name: String) = (0, "")
        for test in fixture.cases {
            let configuration = SchedulerConfiguration(test.configuration)
            let sampler: any Sampler =
                switch test.sampler {
                case .ddpm: try DDPMSampler(configuration, steps: test.steps)
                case .ddim:
                    try DDIMSampler(
                        configuration, steps: test.steps, eta: test.eta ?? 0,
                        usesClippedModelOutput: test.useClippedModelOutput ?? false)
                }
            var sample = fixture.initial
            var estimate = sample
            var first: [Float] = []
            for step in fixture.predictions.indices {
                let index = test.skipped + step
                try take(
                    sampler, index, &sample, prediction: fixture.predictions[step],
                    noise: sampler.drawsNoise(at: index) ? fixture.noises[step] : nil,
                    variance: sampler.needsVariancePrediction ? variance(configuration.varianceType, at: step) : nil,
                    estimate: &estimate, elementsPerImage: fixture.elementsPerImage)
                if step == 0 { first = sample }
            }
            for (got, expected) in [(first, test.first), (sample, test.last), (estimate, test.estimate)] {
                // Unclipped estimates run to hundreds, where a float32 holds five decimals.
                let scale = max(1, expected.reduce(0) { max($0, abs($1)) })
                let difference = ScheduleFixtures.maximumDifference(got, expected) / scale
                #expect(difference <= 1e-5, "\(test.sampler) \(test.configuration)")
                if difference > worst.difference { worst = (difference, "\(test.sampler) \(test.configuration)") }
            }
        }
        print("trajectories: worst difference \(worst)")
    }

    @Test func quadraticSpacingStepsFromEntryToEntry() throws {
        var configuration = SchedulerConfiguration()
        configuration.clipSample = false
        let sampler = try DDIMSampler(configuration, steps: 5, spacing: .quadratic)
        #expect(sampler.timesteps == fixture.quad.timesteps)
        var sample = fixture.initial
        var estimate = sample
        for step in 0..<5 {
            try take(
                sampler, step, &sample, prediction: fixture.predictions[step], noise: nil, estimate: &estimate,
                elementsPerImage: fixture.elementsPerImage)
            let expected = step == 0 ? fixture.quad.first : step == 4 ? fixture.quad.last : nil
            if let expected {
                let scale = max(1, expected.reduce(0) { max($0, abs($1)) })
                #expect(ScheduleFixtures.maximumDifference(sample, expected) / scale <= 1e-5)
            }
        }
    }

    /// DDPM over a list that repeats timesteps: a repeated one has nothing to do.
    @Test(arguments: [VarianceType.fixedSmall, .fixedLarge, .learnedRange])
    func repeatedTimestepsLeaveTheSampleAlone(varianceType: VarianceType) throws {
        var configuration = SchedulerConfiguration()
        configuration.varianceType = varianceType
        let sampler = try DDPMSampler(configuration, steps: 400, spacing: .quadratic)
        let index = try #require(
            zip(sampler.timesteps, sampler.timesteps.dropFirst()).enumerated().first { $1.0 == $1.1 && $1.0 > 0 }
        ).offset
        var sample = fixture.initial
        var estimate = sample
        try take(
            sampler, index, &sample, prediction: fixture.predictions[0], noise: fixture.noises[0],
            variance: fixture.fractions[0], estimate: &estimate, elementsPerImage: fixture.elementsPerImage)
        #expect(ScheduleFixtures.maximumDifference(sample, fixture.initial) <= 1e-6)
    }

    /// Where diffusers gives NaN (see `VarianceType.fixedLargeLog`), the variance is β all the same.
    @Test func fixedLargeLogIsFixedLarge() throws {
        var results: [[Float]] = []
        for type in [VarianceType.fixedLarge, .fixedLargeLog] {
            var configuration = SchedulerConfiguration()
            configuration.varianceType = type
            let sampler = try DDPMSampler(configuration, steps: 5)
            var sample = fixture.initial
            var estimate = sample
            try take(
                sampler, 1, &sample, prediction: fixture.predictions[0], noise: fixture.noises[0],
                estimate: &estimate, elementsPerImage: fixture.elementsPerImage)
            results.append(sample)
        }
        #expect(results[0] == results[1])
    }

    @Test(arguments: [SamplerName.ddpm, .ddim])
    func imagesDoNotDependOnTheirBatch(name: SamplerName) throws {
        var configuration = SchedulerConfiguration()
        configuration.thresholding = true
        configuration.sampleMaxValue = 3
        let sampler = try name.makeSampler(configuration, steps: 5, eta: name == .ddim ? 0.7 : 0)
        let size = fixture.elementsPerImage
        var batch = fixture.initial
        var estimate = batch
        var single = Array(fixture.initial[size...])
        var singleEstimate = single
        for step in 0..<5 {
            try take(
                sampler, step, &batch, prediction: fixture.predictions[step], noise: fixture.noises[step],
                estimate: &estimate, elementsPerImage: size)
            try take(
                sampler, step, &single, prediction: Array(fixture.predictions[step][size...]),
                noise: Array(fixture.noises[step][size...]), estimate: &singleEstimate, elementsPerImage: size)
        }
        #expect(batch[size...].map(\.bitPattern) == single.map(\.bitPattern))
    }

    @Test func noiseIsAskedForWhereItIsUsed() throws {
        let configuration = SchedulerConfiguration()
        let ddpm = try DDPMSampler(configuration, steps: 4)
        #expect((0..<4).map(ddpm.drawsNoise) == [true, true, true, false])
        #expect(try !DDIMSampler(configuration, steps: 4).drawsNoise(at: 0))
        #expect(try DDIMSampler(configuration, steps: 4, eta: 0.1).drawsNoise(at: 3))
    }

    @Test func nanStaysInItsImage() throws {
        for thresholding in [false, true] {
            var configuration = SchedulerConfiguration()
            configuration.thresholding = thresholding
            let sampler = try DDIMSampler(configuration, steps: 5)
            var sample = fixture.initial
            var estimate = sample
            var prediction = fixture.predictions[0]
            prediction[3] = .nan
            try take(
                sampler, 0, &sample, prediction: prediction, noise: nil, estimate: &estimate,
                elementsPerImage: fixture.elementsPerImage)
            #expect(sample[3].isNaN)
            #expect(sample[fixture.elementsPerImage...].allSatisfy { $0.isFinite })
        }
    }
}

@Suite struct SamplerRefusalTests {
    @Test func settingsOutOfRangeAreRefused() {
        let configuration = SchedulerConfiguration()
        for eta in [-0.1, 1.1, .nan, .infinity] {
            #expect(throws: SamplerError.self) { try DDIMSampler(configuration, steps: 5, eta: eta) }
        }
        #expect(throws: SamplerError.etaWithoutUse(got: 0.5)) {
            try SamplerName.ddpm.makeSampler(configuration, steps: 5, eta: 0.5)
        }
        for name in SamplerName.allCases {
            for steps in [0, -1, 1001, .max, .min] {
                #expect(throws: SchedulerError.stepCount(got: steps, trainTimesteps: 1000)) {
                    try name.makeSampler(configuration, steps: steps)
                }
            }
        }
    }

    /// With no signal left at the last timestep, an ε prediction says nothing: better said than drawn as NaN.
    @Test(arguments: SamplerName.allCases)
    func epsilonAtZeroSignalIsRefused(name: SamplerName) throws {
        var configuration = SchedulerConfiguration()
        configuration.rescaleBetasZeroSNR = true
        configuration.timestepSpacing = .trailing
        #expect(throws: SamplerError.self) { try name.makeSampler(configuration, steps: 10) }
        _ = try name.makeSampler(configuration, steps: 10, spacing: .leading)
        configuration.predictionType = .velocity
        _ = try name.makeSampler(configuration, steps: 10)
    }

    @Test func buffersThatDoNotFitAreRefused() throws {
        var configuration = SchedulerConfiguration()
        configuration.varianceType = .learned
        let sampler = try DDPMSampler(configuration, steps: 2)
        func attempt(
            index: Int = 0, sample: Int = 8, prediction: Int = 8, noise: [Float]? = [Float](repeating: 0, count: 8),
            variance: [Float]? = [Float](repeating: 0, count: 8), estimate: Int = 8, elements: Int = 4
        ) throws {
            var values = [Float](repeating: 0.5, count: sample)
            var clean = [Float](repeating: 0, count: estimate)
            defer { #expect(values == [Float](repeating: 0.5, count: sample)) }
            try take(
                sampler, index, &values, prediction: [Float](repeating: 0, count: prediction), noise: noise,
                variance: variance, estimate: &clean, elementsPerImage: elements)
        }
        #expect(throws: SamplerError.stepIndex(got: 2, count: 2)) { try attempt(index: 2) }
        #expect(throws: SamplerError.stepIndex(got: -1, count: 2)) { try attempt(index: -1) }
        #expect(throws: SamplerError.self) { try attempt(elements: 3) }
        #expect(throws: SamplerError.self) { try attempt(elements: 0) }
        #expect(throws: SamplerError.self) { try attempt(prediction: 16) }
        #expect(throws: SamplerError.self) { try attempt(estimate: 7) }
        #expect(throws: SamplerError.missing(buffer: "noise", stepIndex: 0)) { try attempt(noise: nil) }
        #expect(throws: SamplerError.missing(buffer: "a variance prediction", stepIndex: 0)) {
            try attempt(variance: nil)
        }
        #expect(throws: SamplerError.self) { try attempt(noise: [0]) }
        #expect(throws: SamplerError.self) { try attempt(variance: [0]) }
    }
}

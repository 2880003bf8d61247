import Diffusion
import Models
import TensorCore
import Testing

@Suite struct LossWeightingTests {
    /// min(SNR, 5)/SNR for ε, min(SNR, 5) for x₀, min(SNR, 5)/(SNR + 1) for v.
    @Test(arguments: [(0.5, 0.5), (0.9, 0.1), (0.99, 0.01), (0.2, 0.8)])
    func weightsFollowTheSignalToNoiseRatio(alpha: Double, rest: Double) {
        let ratio = alpha / rest
        let expected: [(PredictionType, Double)] = [
            (.epsilon, min(ratio, 5) / ratio), (.sample, min(ratio, 5)), (.velocity, min(ratio, 5) / (ratio + 1)),
        ]
        for (type, weight) in expected {
            let got = LossWeighting.minSNR.weight(
                signal: alpha.squareRoot(), noise: rest.squareRoot(), predicting: type)
            #expect(abs(got - weight) < 1e-12, "\(type)")
            #expect(LossWeighting.uniform.weight(signal: 1, noise: 0, predicting: type) == 1)
        }
    }

    /// Neither end of a schedule divides by zero.
    @Test func theEndsOfAScheduleAreFinite() {
        #expect(LossWeighting.minSNR.weight(signal: 1, noise: 0, predicting: .epsilon) == 0)
        #expect(LossWeighting.minSNR.weight(signal: 0, noise: 1, predicting: .epsilon) == 1)
        #expect(LossWeighting.minSNR.weight(signal: 1, noise: 0, predicting: .sample) == 5)
    }

    /// The loss is the mean of each image's weighted error.
    @Test func aLossIsTheMeanOfItsImages() throws {
        var configuration = UNetConfiguration()
        configuration.sampleSize = [8, 8]
        configuration.inChannels = 1
        configuration.outChannels = 1
        configuration.blockOutChannels = [8]
        configuration.downBlockTypes = ["DownBlock2D"]
        configuration.upBlockTypes = ["UpBlock2D"]
        configuration.normNumGroups = 4
        configuration.layersPerBlock = 1
        let model = try UNet(configuration)
        model.initialize(seed: 3)
        func normal(_ index: UInt64) -> Tensor {
            let tensor = Tensor(uninitialized: [3, 8, 8, 1])
            var stream = RandomStream(seed: 4, purpose: .calibration, index: index)
            stream.fillNormal(tensor.unsafeBuffer)
            return tensor
        }
        let batch = DenoisingBatch(clean: normal(0), noise: normal(1), timesteps: [5, 300, 900])
        let plain = try DenoisingObjective(SchedulerConfiguration())
        let weighted = try DenoisingObjective(SchedulerConfiguration(), weighting: .minSNR)
        let expected =
            (0..<3).map { index in
                let timestep = batch.timesteps[index]
                let weight = LossWeighting.minSNR.weight(
                    signal: Double(plain.schedule.signalCoefficient(at: timestep)),
                    noise: Double(plain.schedule.noiseCoefficient(at: timestep)), predicting: .epsilon)
                return weight * Double(plain.loss(of: model, batch.samples(index..<index + 1)).value.scalar)
            }.reduce(0, +) / 3
        let got = Double(weighted.loss(of: model, batch).value.scalar)
        #expect(abs(got - expected) < 1e-6 * expected)
        #expect(got < Double(plain.loss(of: model, batch).value.scalar))
    }
}

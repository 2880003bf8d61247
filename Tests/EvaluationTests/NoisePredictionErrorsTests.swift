import Diffusion
import Testing

@testable import Evaluation

@Suite struct NoisePredictionErrorsTests {
    @Test func timestepsAreMiddlesOfEqualParts() {
        #expect(NoisePredictionErrors.spread(10, over: 1000) == [50, 150, 250, 350, 450, 550, 650, 750, 850, 950])
        #expect(NoisePredictionErrors.spread(10, over: 3) == [0, 1, 2])
        #expect(NoisePredictionErrors.spread(1, over: 1) == [0])
    }

    /// With x_t fixed, ε = (x_t − a·x₀)/b and ε = a·v + b·x_t.
    @Test func errorsOfOtherTargetsBecomeOnesOfNoise() throws {
        for type in [PredictionType.epsilon, .velocity, .sample] {
            var configuration = SchedulerConfiguration()
            configuration.predictionType = type
            let objective = try DenoisingObjective(configuration)
            let (a, b) = (objective.schedule.signalCoefficient(at: 400), objective.schedule.noiseCoefficient(at: 400))
            let noisy = 0.7
            func epsilon(_ prediction: Double) -> Double {
                switch type {
                case .epsilon: prediction
                case .velocity: a * prediction + b * noisy
                case .sample: (noisy - a * prediction) / b
                }
            }
            let change = epsilon(0.31) - epsilon(0.25)
            let scaled = NoisePredictionErrors.epsilonScale(objective, at: 400) * 0.06 * 0.06
            #expect(abs(scaled / (change * change) - 1) < 1e-9, "\(type)")
        }
    }
}

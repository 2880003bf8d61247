import Diffusion
import Foundation
import Testing
import Training

@Suite struct DenoisingTrainingConfigurationTests {
    /// One section holds the keys of every training and those of denoising side by side.
    @Test func theKeysOfBothPartsAreOneSection() throws {
        var configuration = DenoisingTrainingConfiguration()
        configuration.steps = 7
        configuration.optimizer.kind = .sgd
        configuration.timestepSampling = .uniform
        configuration.lossWeighting = .minSNR
        configuration.sampleEvery = 3
        let data = try JSONEncoder().encode(configuration)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(
            Set(object.keys) == [
                "steps", "batchSize", "learningRate", "learningRateSchedule", "optimizer", "ema", "gradientClip",
                "timestepSampling", "lossWeighting", "gradientCheckpointing", "seed", "logEvery", "sampleEvery",
                "checkpointEvery", "checkpointMinutes", "keepCheckpoints",
            ])
        #expect(object["steps"] as? Int == 7 && object["lossWeighting"] as? String == "min-snr")
        #expect(try JSONDecoder().decode(DenoisingTrainingConfiguration.self, from: data) == configuration)
    }

    @Test func valuesOfBothPartsAreChecked() {
        for (key, change) in [
            ("sample_every", { $0.sampleEvery = -1 }), ("steps", { $0.steps = -1 }), ("ema", { $0.ema = 1 }),
        ] as [(String, (inout DenoisingTrainingConfiguration) -> Void)] {
            var configuration = DenoisingTrainingConfiguration()
            change(&configuration)
            #expect(throws: (any Error).self, "\(key)") { try configuration.validate() }
            do { try configuration.validate() } catch { #expect("\(error)".contains("'\(key)'")) }
        }
    }

    @Test func whatIsTaughtIsChecked() {
        for (key, change) in [
            ("distillation", { $0.distillation = 1.5 }), ("feature_distillation", { $0.featureDistillation = -1 }),
            ("feature_outliers", { $0.featureOutliers = 0 }),
            ("jacobian_matching", { $0.jacobianMatching = .infinity }), ("prediction_uses", { $0.predictionUses = 0 }),
            // Without anything that is predicted, and with what asks the teacher at every step.
            ("prediction_uses", { $0.predictionUses = 2 }),
            (
                "prediction_uses",
                {
                    $0.predictionUses = 2
                    $0.distillation = 1
                    $0.featureDistillation = 0.1
                }
            ),
        ] as [(String, (inout TeachingConfiguration) -> Void)] {
            var configuration = TeachingConfiguration()
            #expect(throws: Never.self) { try configuration.validate() }
            change(&configuration)
            #expect { try configuration.validate() } throws: { "\($0)".contains("'\(key)'") }
        }
    }
}

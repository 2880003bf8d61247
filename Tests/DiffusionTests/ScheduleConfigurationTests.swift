import Files
import Foundation
import TestSupport
import Testing

@testable import Diffusion

@Suite struct ScheduleConfigurationTests {
    private func decode(_ json: String) throws -> (configuration: SchedulerConfiguration, warnings: [String]) {
        switch try SchedulerReading(JSONValue(parsing: json)) {
        case .schedule(let configuration, let warnings): return (configuration, warnings)
        case .none(let name, let reason): throw SchedulerError.malformed("\(name): \(reason)")
        }
    }

    @Test(arguments: ["ddpm", "ddim"])
    func diffusersFilesRoundTrip(name: String) throws {
        let file = try ScheduleFixtures.data("\(name)_scheduler_config.json")
        let (configuration, warnings) = try decode(String(decoding: file, as: UTF8.self))
        #expect(warnings == [])
        var expected = SchedulerConfiguration()
        expected.schedulerClass = name == "ddpm" ? .ddpm : .ddim
        expected.stepsOffset = name == "ddpm" ? 1 : 0
        #expect(configuration == expected)

        let encoded = try JSONEncoder().encode(configuration)
        let ours = try JSONSerialization.jsonObject(with: encoded) as? NSDictionary
        let theirs = try JSONSerialization.jsonObject(with: file) as? NSDictionary
        #expect(ours != nil && ours == theirs)
    }

    @Test func missingKeysTakeDefaults() throws {
        let (configuration, warnings) = try decode("{}")
        #expect(configuration == SchedulerConfiguration())
        #expect(warnings == [])
    }

    @Test func everyKeyIsReadAndWritten() throws {
        let json = """
            {"_class_name": "DDIMScheduler", "_diffusers_version": "0.29.2", "num_train_timesteps": 3,
             "beta_start": 0.1, "beta_end": 0.2, "beta_schedule": "squaredcos_cap_v2", "trained_betas": [0.1, 0.2, 0.3],
             "clip_sample": false, "clip_sample_range": 2, "prediction_type": "v_prediction", "thresholding": true,
             "dynamic_thresholding_ratio": 0.9, "sample_max_value": 1.5, "timestep_spacing": "trailing",
             "steps_offset": 1, "rescale_betas_zero_snr": true, "set_alpha_to_one": false}
            """
        var expected = SchedulerConfiguration()
        expected.schedulerClass = .ddim
        expected.diffusersVersion = "0.29.2"
        expected.trainTimesteps = 3
        expected.betaStart = 0.1
        expected.betaEnd = 0.2
        expected.betaSchedule = .squaredCosine
        expected.trainedBetas = [0.1, 0.2, 0.3]
        expected.clipSample = false
        expected.clipSampleRange = 2
        expected.predictionType = .velocity
        expected.thresholding = true
        expected.dynamicThresholdingRatio = 0.9
        expected.sampleMaxValue = 1.5
        expected.timestepSpacing = .trailing
        expected.stepsOffset = 1
        expected.rescaleBetasZeroSNR = true
        expected.setAlphaToOne = false
        #expect(try decode(json).configuration == expected)
        let again = try JSONDecoder().decode(SchedulerConfiguration.self, from: JSONEncoder().encode(expected))
        #expect(again == expected)
        #expect(try decode(#"{"variance_type": "learned_range"}"#).configuration.varianceType == .learnedRange)
    }

    @Test func unknownKeysAreListedInOrder() throws {
        let (configuration, warnings) = try decode(
            #"{"tensor_format": "pt", "beta_end": 0.01, "a": {"b": [1]}, "bta_start": 1}"#)
        #expect(configuration.betaEnd == 0.01)
        #expect(warnings.count == 3)
        #expect(warnings.first?.contains("key 'a' ") == true)
        #expect(warnings[1].hasSuffix("did you mean 'beta_start'?"))
        #expect(warnings.last?.contains("tensor_format") == true)
    }

    @Test func whatDiffusersRefusesIsSaid() throws {
        #expect(try decode(#"{"timestep_spacing": "quad"}"#).warnings.count == 1)
        #expect(try decode(#"{"_class_name": "DDIMScheduler", "beta_schedule": "sigmoid"}"#).warnings.count == 1)
        #expect(try decode(#"{"beta_schedule": "sigmoid"}"#).warnings == [])
    }

    @Test(arguments: [
        (#"{"num_train_timesteps": "many"}"#, "num_train_timesteps", #""many""#),
        (#"{"num_train_timesteps": 0}"#, "num_train_timesteps", "0"),
        (#"{"num_train_timesteps": 1e18}"#, "num_train_timesteps", "1000000000000000000"),
        (#"{"num_train_timesteps": 1e30}"#, "num_train_timesteps", "1e+30"),
        (#"{"beta_end": Infinity}"#, "beta_end", "Infinity"),
        (#"{"beta_start": NaN}"#, "beta_start", "NaN"),
        (#"{"_class_name": "PNDMScheduler", "beta_start": -Infinity}"#, "beta_start", "-Infinity"),
        (#"{"num_train_timesteps": null}"#, "num_train_timesteps", "null"),
        (#"{"beta_schedule": "quadratic"}"#, "beta_schedule", #""quadratic""#),
        (#"{"beta_schedule": 3}"#, "beta_schedule", "3"),
        (#"{"_class_name": 3}"#, "_class_name", "3"),
        (#"{"clip_sample": "yes"}"#, "clip_sample", #""yes""#),
        (#"{"clip_sample_range": -1}"#, "clip_sample_range", "-1"),
        (#"{"dynamic_thresholding_ratio": 1.01}"#, "dynamic_thresholding_ratio", "1.01"),
        (#"{"sample_max_value": 0}"#, "sample_max_value", "0"),
        (#"{"steps_offset": -1}"#, "steps_offset", "-1"),
        (#"{"steps_offset": 1000}"#, "steps_offset", "1000"),
        (#"{"trained_betas": [0.1, 0.2]}"#, "trained_betas", "a list of 2"),
        (#"{"trained_betas": [0.1, "x"]}"#, "trained_betas", "a list"),
        (#"{"trained_betas": {}}"#, "trained_betas", "an object"),
    ])
    func invalidValuesNameTheKey(json: String, key: String, got: String) {
        do {
            _ = try decode(json)
            Issue.record("\(json) was accepted")
        } catch let error as SchedulerError {
            guard case .invalidValue(key, got, _) = error else {
                Issue.record("\(json): \(error)")
                return
            }
        } catch {
            Issue.record("\(json): \(error)")
        }
    }

    @Test(arguments: ["[]", "null", "3", "NaN", #""{}""#])
    func whatIsNoObjectIsRefused(json: String) {
        #expect {
            try decode(json)
        } throws: { error in
            if case SchedulerError.malformed = error { true } else { false }
        }
    }

    // MARK: other classes

    @Test func otherClassesLendTheirNoiseSchedule() throws {
        let (pndm, warnings) = try decode(
            #"""
            {"_class_name": "PNDMScheduler", "beta_schedule": "scaled_linear", "beta_end": 0.01, "skip_prk_steps": true,
             "prediction_type": "v_prediction", "timestep_spacing": "trailing", "set_alpha_to_one": false,
             "trained_betas": null, "steps_offset": 1}
            """#)
        #expect(pndm.schedulerClass == .pndm && pndm.betaSchedule == .scaledLinear && pndm.betaEnd == 0.01)
        #expect(pndm.predictionType == .velocity && pndm.timestepSpacing == .trailing && !pndm.setAlphaToOne)
        // Its own keys are nobody's mistake.
        #expect(warnings.count == 1 && warnings[0].contains("PNDMScheduler") && warnings[0].contains("DDIM"))
        var ddim = pndm
        ddim.schedulerClass = .ddim
        #expect(try NoiseSchedule(pndm) == NoiseSchedule(ddim))
        #expect(try JSONValue(encoding: pndm).decoded(as: SchedulerConfiguration.self) == pndm)
        #expect(!SchedulerClass.pndm.drawsHere && SchedulerClass.ddim.drawsHere && SchedulerClass.ddpm.drawsHere)
    }

    /// diffusers' own defaults, which are not those of DDPM.
    @Test(arguments: [
        ("HeunDiscreteScheduler", 0.00085, 0.012, BetaSchedule.linear), ("LCMScheduler", 0.00085, 0.012, .scaledLinear),
        ("UnCLIPScheduler", 0.0001, 0.02, .squaredCosine), ("EulerDiscreteScheduler", 0.0001, 0.02, .linear),
    ])
    func otherClassesHaveDefaultsOfTheirOwn(name: String, start: Double, end: Double, schedule: BetaSchedule) throws {
        // UnCLIP's variance_type may be one that DDPM does not know.
        let read = try decode(#"{"_class_name": "\#(name)", "variance_type": null}"#).configuration
        #expect(read.betaStart == start && read.betaEnd == end && read.betaSchedule == schedule)
    }

    /// As diffusers writes it: Python's -Infinity in a key that is none of training's.
    @Test func aSolversInfinityIsReadOver() throws {
        let json =
            #"{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity, "variance_type": null}"#
        #expect(try decode(json).configuration.schedulerClass == .dpmSolverMultistep)
    }

    @Test(arguments: [
        (#"{"_class_name": "ScoreSdeVeScheduler", "num_train_timesteps": 2000}"#, "noise levels"),
        (#"{"_class_name": "FlowMatchEulerDiscreteScheduler"}"#, "flows"),
        (#"{"_class_name": "EulerDiscreteScheduler", "prediction_type": "flow_prediction"}"#, "'flow_prediction'"),
        (#"{"_class_name": "UniPCMultistepScheduler", "use_flow_sigmas": true}"#, "use_flow_sigmas"),
        (#"{"_class_name": "HeunDiscreteScheduler", "beta_schedule": "exp"}"#, "'exp'"),
        (#"{"_class_name": "DDPMSheduler"}"#, "did you mean DDPMScheduler?"),
        (#"{"_class_name": "MySchedule", "beta_start": NaN}"#, "not known here"),
    ])
    func whatHasNoBetasSaysSo(json: String, words: String) throws {
        guard case .none(_, let reason) = try SchedulerReading(JSONValue(parsing: json)) else {
            Issue.record("\(json) gave a schedule")
            return
        }
        #expect(reason.contains(words), "\(reason)")
    }
}

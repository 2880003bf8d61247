import Files
import Diffusion
import Foundation
import Layers
import Models
import TensorCore
import Testing

/// What does not fit a model is refused with what was got and what was expected, before anything is computed.
@Suite struct UNetInputTests {
    private func model(_ change: (inout UNetConfiguration) -> Void = { _ in }) throws -> UNet {
        var configuration = UNetConfiguration()
        configuration.blockOutChannels = [4, 4]
        configuration.normNumGroups = 2
        configuration.layersPerBlock = 1
        configuration.downBlockTypes = ["DownBlock2D", "DownBlock2D"]
        configuration.upBlockTypes = ["UpBlock2D", "UpBlock2D"]
        configuration.attentionHeadDim = nil
        change(&configuration)
        return try UNet(configuration)
    }

    private func expectRefusal(
        _ model: UNet, _ shape: [Int], _ timesteps: [Float], _ labels: ClassLabels? = nil, saying parts: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(sourceLocation: sourceLocation) {
            try model.check(sampleShape: shape, timesteps: timesteps, classLabels: labels)
        } throws: { error in
            error is ModelInputError && parts.allSatisfy { "\(error)".contains($0) }
        }
    }

    @Test func shapesThatFitPass() throws {
        let model = try model()
        try model.check(sampleShape: [2, 8, 12, 3], timesteps: [0, 999], classLabels: nil)
        try model.check(sampleShape: [1, 2, 2, 3], timesteps: [0.5], classLabels: nil)
    }

    @Test func badShapesAreRefused() throws {
        let model = try model()
        expectRefusal(model, [8, 8, 3], [0], saying: ["[8, 8, 3]", "3 channels"])
        expectRefusal(model, [1, 8, 8, 1], [0], saying: ["[1, 8, 8, 1]", "3 channels"])
        expectRefusal(model, [0, 8, 8, 3], [], saying: ["[0, 8, 8, 3]"])
        expectRefusal(model, [1, 7, 8, 3], [0], saying: ["7×8", "multiples of 2"])
        expectRefusal(model, [1, 8, 9, 3], [0], saying: ["8×9"])
    }

    @Test func badTimestepsAreRefused() throws {
        let model = try model()
        expectRefusal(model, [2, 8, 8, 3], [0], saying: ["number of timesteps is 1", "expected 2"])
        expectRefusal(model, [1, 8, 8, 3], [.nan], saying: ["timestep", "finite"])
        expectRefusal(model, [1, 8, 8, 3], [.infinity], saying: ["timestep", "finite"])
        let learned = try self.model {
            $0.timeEmbeddingType = .learned
            $0.numTrainTimesteps = 100
        }
        try learned.check(sampleShape: [1, 8, 8, 3], timesteps: [99], classLabels: nil)
        expectRefusal(learned, [1, 8, 8, 3], [100], saying: ["100", "0..<100"])
        expectRefusal(learned, [1, 8, 8, 3], [-1], saying: ["-1", "0..<100"])
        expectRefusal(learned, [1, 8, 8, 3], [3.5], saying: ["3.5", "whole number"])
    }

    /// A Fourier embedding takes the timestep's logarithm, and the output is divided by it.
    @Test(arguments: [0, -0.0, -1, -0.5, .leastNonzeroMagnitude, .nan, .infinity, -.infinity] as [Float])
    func aFourierModelTakesNoTimestepWithoutALogarithm(timestep: Float) throws {
        let fourier = try model { $0.timeEmbeddingType = .fourier }
        expectRefusal(
            fourier, [2, 8, 8, 3], [3, timestep], saying: ["timestep is \(timestep.plain)", "above 0", "Fourier"])
        // The same for class numbers that are embedded like timesteps.
        let conditional = try model {
            $0.timeEmbeddingType = .fourier
            $0.classEmbedType = .timestep
        }
        expectRefusal(
            conditional, [1, 8, 8, 3], [3], .numbers([timestep]),
            saying: ["class label is \(timestep.plain)", "above 0"])
        try conditional.check(sampleShape: [1, 8, 8, 3], timesteps: [0.25], classLabels: .numbers([0.5]))
        // What passes is finite.
        for passing in [1e-6, 1e30] as [Float] {
            fourier.initialize(seed: 1)
            try fourier.check(sampleShape: [1, 8, 8, 3], timesteps: [passing], classLabels: nil)
            let prediction = fourier.predict(Tensor(zeros: [1, 8, 8, 3]), [passing])
            #expect(prediction.allFinite, "\(passing)")
        }
    }

    @Test func aScheduleBeyondAModelsTimestepsIsRefused() throws {
        let objective = try DenoisingObjective(SchedulerConfiguration())
        try objective.check(model())
        try objective.check(
            model {
                $0.timeEmbeddingType = .learned
                $0.numTrainTimesteps = 1000
            })
        for (type, words) in [(UNetConfiguration.TimeEmbedding.fourier, "above 0"), (.learned, "0..<999")] {
            let model = try model {
                $0.timeEmbeddingType = type
                $0.numTrainTimesteps = 999
            }
            #expect {
                try objective.check(model)
            } throws: {
                $0 is ModelInputError && "\($0)".contains(words)
            }
            // Sampling is checked at its own timesteps: from the last down to 0 here.
            var scheduler = SchedulerConfiguration()
            scheduler.timestepSpacing = .linspace
            let sampler = try DDIMSampler(scheduler, steps: 4)
            #expect(throws: ModelInputError.self) {
                try ImageSampler(model: model, sampler: sampler, seed: 1).images(0..<1)
            }
        }
    }

    @Test func badClassLabelsAreRefused() throws {
        let shape = [1, 8, 8, 3]
        expectRefusal(try model(), shape, [0], .numbers([1]), saying: ["class labels", "unconditional"])
        let table = try model { $0.numClassEmbeds = 10 }
        try table.check(sampleShape: shape, timesteps: [0], classLabels: .numbers([9]))
        expectRefusal(table, shape, [0], saying: ["missing", "class-conditional"])
        expectRefusal(table, shape, [0], .numbers([10]), saying: ["10", "0..<10"])
        expectRefusal(table, shape, [0], .numbers([-1]), saying: ["-1", "0..<10"])
        expectRefusal(table, shape, [0], .numbers([.nan]), saying: ["nan", "0..<10"])
        expectRefusal(table, shape, [0], .numbers([0.5]), saying: ["0.5", "whole number in 0..<10"])
        expectRefusal(table, shape, [0], .numbers([1, 2]), saying: ["2 numbers", "1, one an image"])
        expectRefusal(table, shape, [0], .vectors(Tensor(zeros: [1, 16])), saying: ["vectors", "one number"])
        let timestep = try model { $0.classEmbedType = .timestep }
        expectRefusal(timestep, shape, [0], .numbers([.infinity]), saying: ["finite"])
        try timestep.check(sampleShape: shape, timesteps: [0], classLabels: .numbers([-2.5]))
        let learned = try model {
            $0.classEmbedType = .timestep
            $0.timeEmbeddingType = .learned
            $0.numTrainTimesteps = 100
        }
        expectRefusal(learned, shape, [0], .numbers([100]), saying: ["class label is 100", "0..<100"])
        let identity = try model { $0.classEmbedType = .identity }
        try identity.check(sampleShape: shape, timesteps: [0], classLabels: .vectors(Tensor(zeros: [1, 16])))
        expectRefusal(identity, shape, [0], .vectors(Tensor(zeros: [1, 15])), saying: ["[1, 15]", "[1, 16]"])
        expectRefusal(identity, shape, [0], .numbers([1]), saying: ["numbers", "vectors [1, 16]"])
    }

    @Test func channelsAModelHasNotGotAreRefused() throws {
        let configuration = try model().configuration
        #expect(throws: ChannelAxisError.self) { try UNet(configuration, kept: ["nowhere": [0]]) }
        #expect(throws: ChannelAxisError.self) { try UNet(configuration, kept: ["conv_in.out": [0, 4]]) }
        #expect(try UNet(configuration, kept: ["conv_in.out": [1, 3]]).keptChannels == ["conv_in.out": [1, 3]])
    }
}

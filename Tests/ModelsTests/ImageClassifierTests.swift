import Classification
import Files
import Foundation
import Layers
import ModelFolders
import Models
import TensorCore
import TestSupport
import Testing
import Training

/// Classifiers against torchvision's blocks (Tests/Fixtures/classifiers).
@Suite struct ImageClassifierTests {
    struct Fixture: Sendable, CustomTestStringConvertible {
        let name: String
        var testDescription: String { name }

        func model() throws -> ImageClassifier {
            try ImageClassifierFolder(Fixtures.url("classifiers/\(name)")).load().model
        }
        func golden() throws -> GoldenFile { try GoldenFile("classifiers/\(name)/io.safetensors") }

        static let all = ["basic", "bottleneck", "plain"].map(Fixture.init)
    }

    private func expectClose(
        _ got: [Float], _ expected: [Float], tolerance: Float, _ what: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let scale = max(expected.reduce(0) { max($0, abs($1)) }, 0.01)
        let difference = zip(got, expected).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale
        #expect(got.count == expected.count && difference < tolerance, "\(what)", sourceLocation: sourceLocation)
    }

    @Test(arguments: Fixture.all) func predictsWhatPyTorchPredicts(fixture: Fixture) throws {
        let (model, golden) = (try fixture.model(), try fixture.golden())
        let images = Variable(try golden.tensor("sample", .image))
        let logits = Autograd.withoutRecording { model.logits(of: images).value }
        expectClose(logits.array, try golden.floats("logits"), tolerance: 2e-5, "logits")
        // With weights laid out for the kernels, as predictions have them.
        let prepared = PreparedWeights().using { Autograd.withoutRecording { model.logits(of: images).value } }
        expectClose(prepared.array, logits.array, tolerance: 1e-6, "prepared weights")
    }

    /// Forward and backward with the batch's moments, label smoothing, and what becomes of the running moments.
    @Test(arguments: Fixture.all) func learnsWhatPyTorchLearns(fixture: Fixture) throws {
        let (model, golden) = (try fixture.model(), try fixture.golden())
        let batch = LabelledBatch(
            images: try golden.tensor("sample", .image), labels: try golden.integers("labels"))
        let task = Classification<ImageClassifier>(labelSmoothing: 0.1)
        let arena = ParameterArena(model.parameters)
        task.loss(of: model, on: batch, teacher: nil, dropout: DropoutMask(seed: 0, step: 0)).backward()
        arena.completeGradients()
        for (index, parameter) in arena.parameters.enumerated() where parameter.isTrainable {
            let gradient = parameter.fileValues(of: arena.slice(arena.gradients, index))
            // float32 against float64 through up to ten layers
            expectClose(
                gradient, try golden.floats("gradient:\(parameter.name)"), tolerance: 1e-3, parameter.name)
        }
        for parameter in model.parameters where parameter.isStatistic {
            expectClose(
                parameter.variable.value.array, try golden.floats("after:\(parameter.name)"), tolerance: 1e-5,
                parameter.name)
        }
        let logits = BatchStatistics.taken {
            Autograd.withoutRecording { model.logits(of: Variable(batch.images)).value.array }
        }
        expectClose(logits, try golden.floats("training_logits"), tolerance: 5e-5, "logits in training")
    }

    /// torchvision's counts with a 3×3 stem and ten classes; of ResNet-20 those of its projection shortcuts.
    @Test(arguments: [
        ("resnet20", 3, 272_474), ("resnet20", 1, 272_186), ("resnet18", 3, 11_173_962), ("resnet50", 3, 23_520_842),
        ("vgg19", 3, 20_040_522),
    ])
    func hasThePublishedNumberOfParameters(architecture: String, channels: Int, expected: Int) throws {
        var configuration = ImageClassifierConfiguration()
        configuration.architecture = architecture
        configuration.inChannels = channels
        let model = try Parameter.unset { try ImageClassifier(configuration) }
        #expect(model.parameterCount == expected)
    }

    /// He et al. give 40.6 M multiply–accumulates for ResNet-20; 1×1 shortcuts add 0.26 M.
    @Test func countsMultiplyAccumulates() throws {
        #expect(abs(try ImageClassifier(ImageClassifierConfiguration()).macs - 40.81e6) < 0.01e6)
    }

    // MARK: pruning by construction

    /// With random masks, whole blocks among them, in both modes.
    @Test(arguments: Fixture.all) func aMaskedModelIsItsCompactedOne(fixture: Fixture) throws {
        let model = try fixture.model()
        let images = Variable(try fixture.golden().tensor("sample", .image))
        var stream = RandomStream(seed: 5, purpose: "test-masks")
        var kept: [String: [Int]] = [:]
        for group in model.channelGroups {
            let left =
                group.name == "layer1.1.inner"
                ? [] : (0..<group.width).filter { $0 == 0 || stream.uniform() < 0.6 }
            kept[group.name] = left
            let mask = (0..<group.width).map { left.contains($0) ? Float(1) : 0 }
            group.gating = LeafGate(Variable(Tensor(mask, shape: [group.width])))
        }
        #expect(kept.values.contains { $0.count > 1 })
        let compacted = try model.rebuilt(keeping: kept)
        for parameter in compacted.parameters {
            let source = try #require(model.parameters.first { $0.name == parameter.name })
            let positions = zip(source.axes, source.variable.shape).map { axis, extent in
                axis.map { $0.groups.count == 1 ? kept[$0.groups[0].name] ?? Array(0..<extent) : [] }
                    ?? Array(0..<extent)
            }
            var values: [Float] = []
            func visit(_ dimension: Int, _ offset: Int) {
                guard dimension < positions.count else { return values.append(source.variable.value.array[offset]) }
                for position in positions[dimension] {
                    visit(dimension + 1, offset * source.variable.shape[dimension] + position)
                }
            }
            visit(0, 0)
            parameter.variable.value.assign(Tensor(values, shape: parameter.variable.shape))
        }
        let masked = Autograd.withoutRecording { model.logits(of: images).value.array }
        let small = Autograd.withoutRecording { compacted.logits(of: images).value.array }
        expectClose(small, masked, tolerance: 1e-5, "evaluation")
        let (trained, smallTrained) = BatchStatistics.taken {
            Autograd.withoutRecording {
                (model.logits(of: images).value.array, compacted.logits(of: images).value.array)
            }
        }
        expectClose(smallTrained, trained, tolerance: 1e-5, "training")
        for parameter in compacted.parameters where parameter.isStatistic {
            let source = try #require(model.parameters.first { $0.name == parameter.name })
            let axis = try #require(source.axes[0]?.groups[0])
            expectClose(
                parameter.variable.value.array, (kept[axis.name] ?? []).map { source.variable.value.array[$0] },
                tolerance: 1e-5, parameter.name)
        }
    }

    @Test func configurationsAreRefusedByTheirKey() {
        func expectRefused(_ key: String, _ change: (inout ImageClassifierConfiguration) -> Void) {
            var configuration = ImageClassifierConfiguration()
            change(&configuration)
            #expect {
                _ = try ImageClassifier(configuration)
            } throws: {
                ($0 as? SettingError)?.key == key
            }
        }
        expectRefused("architecture") { $0.architecture = "resnet21" }
        expectRefused("depths") { $0.depths = [1, 0, 1] }
        expectRefused("depths") { $0.depths = [] }
        expectRefused("widths") { $0.widths = [16, 32] }
        expectRefused("widths") { $0.widths = [16, -1, 8] }
        expectRefused("input_size") { $0.inputSize = 3 }
        expectRefused("in_channels") { $0.inChannels = 4 }
        expectRefused("num_classes") { $0.numClasses = 1 }
        expectRefused("class_names") { $0.classNames = ["a"] }
        expectRefused("image_mean") { $0.imageMean = [0.5, .nan, 0.5] }
        expectRefused("image_std") { $0.imageStd = [0] }
    }
}

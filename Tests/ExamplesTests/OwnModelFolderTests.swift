import Files
import Foundation
import Layers
import ModelFolders
import Pruning
import TensorCore
import TestSupport
import Testing
import Workflows

@Suite struct OwnModelFolderTests {
    private func pruned() throws -> PerceptronFolder.Model {
        let dense = try Perceptron(width: 6)
        dense.initialize(seed: 1)
        let space = PruningSpace.channels(of: dense)
        let model = try Compaction(dense, masks: Masks(space, [1, 0, 1, 1, 0, 1])).network
        return PerceptronFolder.Model(
            model: model,
            pruning: PruningRecord(
                method: "taylor", granularity: "channel", configuration: "", seed: 0,
                asked: .init(quantity: "macs", value: 0.7),
                achieved: .init(
                    parameters: .init(dense: 19, pruned: 13), macs: .init(dense: 12, pruned: 8),
                    channels: .init(dense: 6, pruned: 4)),
                groups: model.channelGroups.map {
                    .init(name: $0.name, originalWidth: $0.originalWidth, kept: $0.kept)
                }))
    }

    /// With the family in the list, as its line in `ModelFamilies` puts it there.
    private static let families = ModelFamilies.all + [PerceptronFolder.self]

    @Test func aPrunedPerceptronComesBackTheSame() throws {
        let stored = try pruned()
        try withTemporaryFolder { scratch in
            let folder = PerceptronFolder(scratch.appendingPathComponent("model"))
            try folder.save(stored)
            let back = try folder.load()
            #expect(back.pruning == stored.pruning && back.model.keptChannels == ["hidden": [0, 2, 3, 5]])
            #expect(back.model.parameters.map(\.name) == stored.model.parameters.map(\.name))
            for (a, b) in zip(stored.model.parameters, back.model.parameters) {
                #expect(a.variable.value.array == b.variable.value.array, "\(a.name)")
            }
            let x = Variable(Tensor([-1, 0, 0.5], shape: [3, 1]))
            #expect(back.model(x).value.array == stored.model(x).value.array)
            #expect(try back.digests() == stored.digests())
        }
    }

    @Test func theListTellsItFromOtherFamilies() throws {
        try withTemporaryFolder { scratch in
            let url = scratch.appendingPathComponent("model")
            try PerceptronFolder(url).save(pruned())
            #expect(try ModelFamilies.folder(at: url, among: Self.families) is PerceptronFolder)
            #expect(try ModelFamilies.load(url, among: Self.families).model is Perceptron)
            let bundled = Repository.url("Samples/models/fashion-unet")
            #expect(try ModelFamilies.folder(at: bundled, among: Self.families) is PipelineFolder)
            // Without its line the class is not known.
            let got = error(ModelFolderError.self) { _ = try ModelFamilies.folder(at: url) }
            #expect("\(try #require(got))".contains("'perceptron', expected 'UNet2DModel'"))
        }
    }

    /// By hand: 1·4 + 4 and 4·1 + 1 parameters, 4 + 4 multiply–accumulates.
    @Test func infoCountsIt() throws {
        try withTemporaryFolder { scratch in
            let folder = PerceptronFolder(scratch.appendingPathComponent("model"))
            try folder.save(pruned())
            let information = try ModelInformation(folder)
            #expect(information.className == "perceptron" && information.parameters == 13 && information.macs == 8)
            #expect(information.channels == 4 && information.groups.map(\.originalWidth) == [6])
            #expect(information.pruning?.method == "taylor")
            #expect(try information.json()["hidden_width"] == 6)
            #expect(information.summary.map { $0.title } == ["hidden layer"])
        }
    }

    @Test func whatIsNoPerceptronIsRefused() throws {
        try withTemporaryFolder { scratch in
            let folder = PerceptronFolder(scratch.appendingPathComponent("model"))
            try folder.save(pruned())
            let file = folder.url.appendingPathComponent("config.json")
            for (configuration, reason) in [
                (["_class_name": "transformer", "width": 6], "'transformer', expected 'perceptron'"),
                (["width": 6], "of no class', expected 'perceptron'"),
                (["_class_name": "perceptron", "width": 0], "'width' is 0, expected 1...4096"),
                (["_class_name": "perceptron", "width": 4], "'hidden'"),
                (["_class_name": "perceptron", "width": "many"], "'width' is 0"),
                ([1, 2], "an object of keys"),
            ] as [(JSONValue, String)] {
                try JSONFile.write(configuration, to: file)
                let got = error(ModelFolderError.self) { _ = try folder.load() }
                let message = got.map { "\($0)" } ?? "accepted"
                #expect(message.contains(file.path) && message.contains(reason), "\(message)")
            }
        }
    }
}

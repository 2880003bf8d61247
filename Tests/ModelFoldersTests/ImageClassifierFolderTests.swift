import Files
import Foundation
import Layers
import Models
import TestSupport
import Testing
import WeightFiles

@testable import ModelFolders

/// Folders of image classifiers, in and out.
@Suite struct ImageClassifierFolderTests {
    private static let fixtures = ["basic", "bottleneck", "plain"]

    private func fixture(_ name: String) -> ImageClassifierFolder {
        ImageClassifierFolder(Fixtures.url("classifiers/\(name)"))
    }

    /// The fixtures are PyTorch's state_dicts, with their counters of batches.
    @Test(arguments: fixtures) func aFolderComesBackTheSame(name: String) throws {
        let stored = try fixture(name).load()
        #expect(stored.warnings.isEmpty && stored.pruning == nil)
        #expect(try ModelFamilies.folder(at: fixture(name).url) is ImageClassifierFolder)
        try withTemporaryFolder { folder in
            let saved = ImageClassifierFolder(folder.appendingPathComponent("model"))
            try saved.save(stored)
            let again = try saved.load()
            #expect(try again.digests() == stored.digests())
            #expect(again.model.configuration == stored.model.configuration)
            let names = try SafetensorsFile(contentsOf: saved.weightsFile).names
            #expect(Set(names) == Set(stored.model.parameters.map(\.name)))
            #expect(names.contains { $0.hasSuffix(".running_var") })
        }
    }

    @Test func aPrunedOneComesBackTheSame() throws {
        let dense = try fixture("basic").load()
        let model = try dense.model.rebuilt(keeping: ["layer1.0.inner": [1, 3], "layer1.1.inner": []])
        model.initialize(seed: 3)
        let change = PruningRecord.Change(dense: 2, pruned: 1)
        let record = PruningRecord(
            method: "test", granularity: "channel", configuration: "", seed: 0,
            asked: .init(quantity: "sparsity", value: 0.5),
            achieved: .init(parameters: change, macs: change, channels: change),
            groups: model.channelGroups.map { .init(name: $0.name, originalWidth: $0.originalWidth, kept: $0.kept) })
        try withTemporaryFolder { folder in
            let saved = ImageClassifierFolder(folder.appendingPathComponent("model"))
            try saved.save(StoredImageClassifier(model: model, pruning: record))
            let again = try saved.load()
            #expect(again.model.keptChannels == ["layer1.0.inner": [1, 3], "layer1.1.inner": []])
            #expect(again.pruning == record)
            try FileManager.default.removeItem(at: saved.url.appendingPathComponent("pruning.json"))
            #expect(throws: ModelFolderError.self) { try saved.load() }
        }
    }

    /// A copy of a fixture with some of its tensors changed.
    private func expectChanged(
        _ name: String, _ expected: String?, _ change: (String, [Int], [Float]) -> NamedTensor?,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try withTemporaryFolder { folder in
            let source = fixture(name)
            try FileManager.default.copyItem(
                at: source.url.appendingPathComponent("config.json"), to: folder.appendingPathComponent("config.json"))
            let file = try SafetensorsFile(contentsOf: source.weightsFile)
            let tensors = try file.names.compactMap { name -> NamedTensor? in
                let isCount = name.hasSuffix("num_batches_tracked")
                return change(name, try file.shape(of: name), isCount ? [0] : try file.floats(name))
            }
            try SafetensorsWriter.write(
                tensors, metadata: ["format": "pt"], to: folder.appendingPathComponent("model.safetensors"))
            let copy = ImageClassifierFolder(folder)
            guard let expected else {
                #expect(
                    try copy.load().digests()["weights"] == source.load().digests()["weights"],
                    sourceLocation: sourceLocation)
                return
            }
            let got = error(ModelFolderError.self) { _ = try copy.load() }.map { "\($0)" } ?? "nothing"
            #expect(got.contains(expected), "\(got)", sourceLocation: sourceLocation)
        }
    }

    @Test func wrappedAndTimmNamesAreRead() throws {
        try expectChanged("basic", nil) { NamedTensor("module.\($0)", shape: $1, floats: $2) }
        try expectChanged("plain", nil) { name, shape, values in
            NamedTensor(
                name.replacingOccurrences(of: "classifier.", with: "head.fc."), shape: shape, floats: values)
        }
    }

    @Test func tensorsThatDoNotFitAreNamed() throws {
        try expectChanged("basic", "'bn1.running_var' holds negative values") { name, shape, values in
            NamedTensor(name, shape: shape, floats: name == "bn1.running_var" ? values.map { -$0 } : values)
        }
        try expectChanged("basic", "fc.weight") { name, shape, values in
            NamedTensor(name, shape: shape, floats: name == "fc.weight" ? values.map { _ in .nan } : values)
        }
        try expectChanged("basic", "layer2.0.bn1.running_mean") { name, shape, values in
            name == "layer2.0.bn1.running_mean" ? nil : NamedTensor(name, shape: shape, floats: values)
        }
        try expectChanged("basic", "layer1.0.conv1.weight") { name, shape, values in
            name == "layer1.0.conv1.weight"
                ? NamedTensor(name, shape: [values.count], floats: values)
                : NamedTensor(name, shape: shape, floats: values)
        }
    }

    @Test func configurationsThatCannotBeAreNamed() throws {
        try withTemporaryFolder { folder in
            try FileManager.default.copyItem(
                at: fixture("basic").weightsFile, to: folder.appendingPathComponent("model.safetensors"))
            let file = folder.appendingPathComponent("config.json")
            for (text, expected) in [
                (#"{"_class_name": "ImageClassifier", "architecture": "alexnet"}"#, "'alexnet'"),
                (#"{"_class_name": "ImageClassifier", "widths": [4, "x"]}"#, "widths"),
                (#"{"_class_name": "ImageClassifier", "num_classes": -1}"#, "num_classes"),
                (#"{"_class_name": "ImageClassifier", "widths": [1000000000, 4, 4]}"#, "widths"),
                (#"{"_class_name": "ImageClass"}"#, "'ImageClass'"), ("[1]", "object"),
            ] {
                try Data(text.utf8).write(to: file)
                let got = error(ModelFolderError.self) { _ = try ImageClassifierFolder(folder).load() }
                #expect("\(got.map { "\($0)" } ?? "nothing")".contains(expected), "\(text)")
            }
        }
    }
}

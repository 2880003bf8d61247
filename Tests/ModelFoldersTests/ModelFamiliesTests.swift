import Files
import Foundation
import Layers
@testable import ModelFolders
import Models
import TestSupport
import Testing
import WeightFiles

/// Folders are told apart by the class that their configuration names; every family has the same parts.
@Suite struct ModelFamiliesTests {
    private static let classifier = Repository.url("Samples/models/fashion-features")

    @Test func aFolderIsOfTheFamilyThatItsConfigurationNames() throws {
        for fixture in PipelineFixture.all {
            #expect(try ModelFamilies.folder(at: fixture.url) is PipelineFolder, "\(fixture.testDescription)")
        }
        #expect(try ModelFamilies.folder(at: Self.classifier) is FeatureClassifierFolder)
        #expect(try ModelFamilies.load(Self.classifier).model is FeatureClassifier)
    }

    @Test func whatIsOfNoFamilyIsRefusedWithTheirNames() throws {
        try withTemporaryFolder { folder in
            func refusal() -> String {
                "\(error(ModelFolderError.self) { _ = try ModelFamilies.folder(at: folder) }.map { "\($0)" } ?? "")"
            }
            #expect(refusal().contains("none of unet/config.json, config.json"))
            let file = folder.appendingPathComponent("config.json")
            try JSONFile.write(["_class_name": "AutoencoderKL"], to: file)
            #expect(refusal().contains("'AutoencoderKL', expected 'UNet2DModel' or 'PrunedUNet2DModel' or "))
            // Each family refuses the other's folders by name.
            let got = error(ModelFolderError.self) { _ = try PipelineFolder(Self.classifier).load() }
            #expect("\(try #require(got))".contains("'feature-classifier', expected 'UNet2DModel'"))
            #expect(throws: StorageError.self) { try ModelFamilies.folder(at: folder.appendingPathComponent("none")) }
        }
    }

    @Test func aPrunedClassifierComesBackTheSame() throws {
        let dense = try FeatureClassifierFolder(Self.classifier).load()
        var kept: [String: [Int]] = [:]
        for group in dense.model.channelGroups { kept[group.name] = group.kept.filter { $0 % 2 == 0 } }
        let model = try dense.model.rebuilt(keeping: kept)
        model.initialize(seed: 3)
        let change = PruningRecord.Change(dense: 2, pruned: 1)
        let record = PruningRecord(
            method: "test", granularity: "channel", configuration: "", seed: 0,
            asked: .init(quantity: "sparsity", value: 0.5),
            achieved: .init(parameters: change, macs: change, channels: change),
            groups: model.channelGroups.map { .init(name: $0.name, originalWidth: $0.originalWidth, kept: $0.kept) })
        try withTemporaryFolder { folder in
            let saved = FeatureClassifierFolder(folder.appendingPathComponent("model"))
            try saved.save(StoredClassifier(model: model, pruning: record))
            let back = try saved.load()
            #expect(back.pruning == record && back.model.keptChannels == kept)
            for (a, b) in zip(model.parameters, back.model.parameters) {
                #expect(a.name == b.name && a.variable.value.array == b.variable.value.array, "\(a.name)")
            }
            #expect(try back.digests() == StoredClassifier(model: model, pruning: record).digests())
            #expect(try Set(back.digests().keys) == ["weights", "configuration", "pruning record"])
        }
    }

    /// A record of before granularities were written.
    @Test func anOlderRecordIsRead() throws {
        let change: JSONValue = ["dense": 2, "pruned": 1, "ratio": 0.5]
        let record = try JSONValue.object([
            "schema": 1, "method": "taylor", "configuration": "", "seed": 0,
            "asked": ["quantity": "macs", "value": 0.5],
            "achieved": ["parameters": change, "macs": change, "channels": change],
            "groups": [["name": "a", "original_width": 4, "kept": [0, 2]]],
        ]).decoded(as: PruningRecord.self)
        #expect(record.granularity == nil && record.achieved.weights == nil && record.keptChannels == ["a": [0, 2]])
    }

    /// Whole axes may leave: their tensors have no elements, and files need not hold them.
    @Test func parametersWithoutElementsAreNeitherWrittenNorExpected() throws {
        func parameters() -> [Parameter] {
            [
                Parameter("empty", layout: .plain, axes: [nil], shape: [0], initialization: .zeros),
                Parameter("full", layout: .linear, axes: [nil, nil], shape: [2, 3], initialization: .ones),
            ]
        }
        let (written, read) = (parameters(), parameters())
        for (index, parameter) in written.enumerated() { parameter.initialize(seed: 1, index: UInt64(index)) }
        try withTemporaryFolder { folder in
            let weights = WeightFolder(of: folder.appendingPathComponent("w.safetensors"))
            try weights.write(written, compact: true)
            #expect(try weights.open().names == ["full"])
            try weights.open().load(into: read)
            #expect(read[1].variable.value.array == written[1].variable.value.array)
            // The compact form alone is enough.
            try FileManager.default.removeItem(at: folder.appendingPathComponent("w.safetensors"))
            try weights.open().load(into: read)
            #expect(try weights.bytes() == weights.sparseBytes())
        }
    }

    /// Zeros of what masks have no part in, as biases that never moved, cost more in the compact form than they save: a
    /// limit on its bytes does not count on them.
    @Test func zerosOfVectorsStandInTheCompactFile() throws {
        let parameters = [
            Parameter("a.weight", layout: .linear, axes: [nil, nil], shape: [16, 16], initialization: .zeros),
            Parameter("a.bias", layout: .plain, axes: [nil], shape: [64], initialization: .zeros),
        ]
        parameters[0].variable.value.pointer[7] = 2
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("w.safetensors")
            let weights = WeightFolder(of: url)
            try weights.write(parameters, compact: true)
            let file = try SafetensorsFile(contentsOf: folder.appendingPathComponent("w.sparse.safetensors"))
            #expect(Set(file.names) == ["a.weight.bitmap", "a.weight.values", "a.weight.shape", "a.bias"])
            let stored = StoredWeights(parameters, as: .float32)
            let shapes = parameters.map(\.fileShape)
            #expect(try stored.compactBytes(of: shapes, nonzero: [1, 0]) == weights.sparseBytes())
            #expect(
                try #require(try weights.sparseBytes())
                    <= stored.compactOverhead(of: shapes, isCompact: [true, false]) + MemoryLayout<Float>.size)
            try FileManager.default.removeItem(at: url)
            let read = [
                Parameter("a.weight", layout: .linear, axes: [nil, nil], shape: [16, 16], initialization: .ones),
                Parameter("a.bias", layout: .plain, axes: [nil], shape: [64], initialization: .ones),
            ]
            try weights.open().load(into: read)
            #expect(zip(read, parameters).allSatisfy { $0.variable.value.array == $1.variable.value.array })
        }
    }
}

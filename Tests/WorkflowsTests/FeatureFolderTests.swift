import Files
import Foundation
import ModelFolders
import TestSupport
import Testing
import WeightFiles
import Workflows

@Suite struct FeatureFolderTests {
    /// Loads a copy of the bundled folder after `spoil` changed it, and gives the message of the error.
    private func message(_ spoil: (URL) throws -> Void) throws -> String? {
        try withTemporaryFolder { scratch in
            let folder = scratch.appendingPathComponent("features")
            try FileManager.default.copyItem(at: FeatureFixtures.model, to: folder)
            try spoil(folder)
            do {
                _ = try FeatureClassifierFolder(folder).load()
                return nil
            } catch {
                return "\(error)"
            }
        }
    }

    private func weights(_ folder: URL) -> URL { folder.appendingPathComponent("model.safetensors") }

    private func rewriteWeights(_ folder: URL, _ change: (inout [NamedTensor]) -> Void) throws {
        let file = try SafetensorsFile(contentsOf: weights(folder))
        var tensors = try file.names.map { NamedTensor($0, shape: try file.shape(of: $0), floats: try file.floats($0)) }
        change(&tensors)
        try SafetensorsWriter.write(tensors, to: weights(folder))
    }

    private func rewriteConfiguration(_ folder: URL, _ key: String, _ value: JSONValue?) throws {
        let file = folder.appendingPathComponent("config.json")
        guard case .object(var members) = try JSONFile.read(file) else { return }
        members[key] = value
        try JSONFile.write(.object(members), to: file)
    }

    @Test func savedAndLoadedNetIsTheSame() throws {
        let bundled = try FeatureClassifierFolder(FeatureFixtures.model).load()
        try withTemporaryFolder { scratch in
            let folder = scratch.appendingPathComponent("features")
            try FeatureClassifierFolder(folder).save(bundled)
            let copy = try FeatureClassifierFolder(folder).load()
            #expect(copy.model.configuration == bundled.model.configuration)
            for name in ["model.safetensors", "config.json"] {
                let bytes = try Data(contentsOf: folder.appendingPathComponent(name))
                #expect(try bytes == Data(contentsOf: FeatureFixtures.model.appendingPathComponent(name)), "\(name)")
                #expect(bytes.count < 500_000)
            }
        }
    }

    @Test func keysThatSayNothingAreNamed() throws {
        try withTemporaryFolder { scratch in
            let folder = scratch.appendingPathComponent("features")
            try FileManager.default.copyItem(at: FeatureFixtures.model, to: folder)
            #expect(try FeatureClassifierFolder(folder).load().warnings.isEmpty)
            try rewriteConfiguration(folder, "test_acuracy", 0.5)
            let warnings = try FeatureClassifierFolder(folder).load().warnings
            #expect(warnings.count == 1 && warnings[0].contains("'test_acuracy'"))
            #expect(warnings.first?.contains("did you mean 'test_accuracy'?") == true)
        }
        // A key that cannot be missed is asked for by what is there in its place.
        let missing = try message { folder in
            try rewriteConfiguration(folder, "input_size", nil)
            try rewriteConfiguration(folder, "inputsize", 32)
        }
        #expect(missing?.contains("'input_size' is missing (there is 'inputsize')") == true, "\(missing ?? "")")
    }

    @Test func damagedWeightsAreRefusedByName() throws {
        #expect(try message { _ in } == nil)
        let cut = try message { folder in
            try Data(contentsOf: weights(folder)).prefix(100_000).write(to: weights(folder))
        }
        #expect(cut?.contains("model.safetensors") == true)
        let missing = try message { folder in try rewriteWeights(folder) { $0.removeAll { $0.name == "head.bias" } } }
        #expect(missing?.contains("tensor 'head.bias' is missing") == true)
        let extra = try message { folder in
            try rewriteWeights(folder) { $0.append(NamedTensor("more", shape: [1], floats: [0])) }
        }
        #expect(extra?.contains("tensor 'more' has no place") == true)
        let shape = try message { folder in
            try rewriteWeights(folder) { tensors in
                for index in tensors.indices where tensors[index].name == "head.weight" {
                    tensors[index].shape = [64, 10]
                }
            }
        }
        #expect(shape?.contains("tensor 'head.weight' has shape [64, 10], expected [10, 64]") == true)
        let notFinite = try message { folder in
            try rewriteWeights(folder) { tensors in
                for index in tensors.indices where tensors[index].name == "stem.bias" {
                    tensors[index].elements = .floats([.nan] + [Float](repeating: 0, count: 15))
                }
            }
        }
        #expect(notFinite?.contains("tensor 'stem.bias' has values that are not finite") == true)
        let gone = try message { folder in try FileManager.default.removeItem(at: weights(folder)) }
        #expect(gone?.contains("model.safetensors") == true)
    }

    @Test func otherConfigurationsAreRefusedByKey() throws {
        for (key, value, wanted) in [
            ("kind", nil, "'kind' is missing, expected 'feature-classifier'"),
            ("kind", "UNet2DModel", "'kind' is 'UNet2DModel'"),
            ("schema", 2, "'schema' is 2, expected 1"),
            ("widths", [16, 32, 1_000_000_000], "'widths' is [16, 32, 1000000000]"),
            ("widths", "wide", "'widths'"),
            ("input_size", nil, "'input_size' is missing, expected"),
            ("class_names", ["one", "two"], "tensor 'head.weight' has shape [10, 64], expected [2, 64]"),
        ] as [(String, JSONValue?, String)] {
            let message = try message { folder in try rewriteConfiguration(folder, key, value) }
            #expect(message?.contains(wanted) == true, "\(key): \(message ?? "no error")")
        }
    }
}

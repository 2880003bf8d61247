import Files
import Foundation
import TestSupport
import Testing
import WeightFiles

@testable import ModelFolders

/// Weights under names as `save_pretrained(variant="fp16")` gives them.
@Suite struct WeightVariantTests {
    private static let plain = "diffusion_pytorch_model.safetensors"

    private func refusal(_ model: URL, _ variant: String? = nil) -> String {
        let got = error(ModelFolderError.self) { _ = try PipelineFolder(model).reading(variant: variant).load() }
        return got.map { "\($0)" } ?? ""
    }

    @Test func oneVariantAloneIsRead() throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder, of: "float16")
            try copy.move(Self.plain, to: "diffusion_pytorch_model.fp16.safetensors")
            let model = try PipelineFolder(copy.url).load().model
            #expect(try PipelineFixture.named("float16").deviation(of: model) <= 1e-4)
            #expect(try PipelineFolder(copy.url).variants() == ["fp16"])
            _ = try PipelineFolder(copy.url).reading(variant: "fp16").load()
            #expect(refusal(copy.url, "bf16").contains("no variant 'bf16' of the weights, expected one of 'fp16'"))
        }
    }

    /// Shards of a variant, with their index where diffusers puts it today and where it did.
    @Test(arguments: ["safetensors.index.fp16.json", "safetensors.fp16.index.json"])
    func shardsOfAVariantAreRead(ending: String) throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder, of: "sharded")
            let index = copy.unet.appendingPathComponent(Self.plain + ".index.json")
            var map = try #require(try JSONFile.read(index)["weight_map"]?.objectValue)
            var bytes = 0
            for file in Set(map.values.compactMap(\.stringValue)) {
                let renamed = file.replacingOccurrences(of: "model-", with: "model.fp16-")
                try copy.move(file, to: renamed)
                bytes += try Data(contentsOf: copy.unet.appendingPathComponent(renamed)).count
                map = map.mapValues { $0.stringValue == file ? .string(renamed) : $0 }
            }
            try FileManager.default.removeItem(at: index)
            try JSONFile.write(
                ["weight_map": .object(map)], to: copy.unet.appendingPathComponent("diffusion_pytorch_model." + ending))
            let pipeline = PipelineFolder(copy.url)
            #expect(try PipelineFixture.named("sharded").deviation(of: pipeline.load().model) <= 1e-4)
            // A shard is no variant of its own; the files that are read are counted and no other.
            #expect(try pipeline.variants() == ["fp16"])
            try copy.tensors(of: "plain").write(to: copy.unet.appendingPathComponent("other.safetensors"))
            #expect(try pipeline.weightBytes() == bytes)
        }
    }

    @Test func theOrdinaryFileGoesFirstAndIsTheOneCounted() throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            try copy.rewrite { $0 }
            let half = try copy.tensors().compactMap {
                guard case .floats(let values) = $0.elements else { return nil as NamedTensor? }
                return NamedTensor($0.name, shape: $0.shape, floats: values.map { $0 / 2 }, storedAs: .f16)
            }
            let variant = copy.unet.appendingPathComponent("diffusion_pytorch_model.fp16.safetensors")
            try SafetensorsWriter.write(half, to: variant)
            let (plain, chosen) = (PipelineFolder(copy.url), PipelineFolder(copy.url).reading(variant: "fp16"))
            #expect(try PipelineFixture.named("plain").deviation(of: plain.load().model) <= 1e-4)
            #expect(try plain.weightBytes() == Data(contentsOf: copy.weights).count)
            #expect(try chosen.weightBytes() == Data(contentsOf: variant).count)
            #expect(try PipelineFixture.named("plain").deviation(of: chosen.load().model) > 1e-2)
            #expect(try plain.load().weightTypes == .float32 && chosen.load().weightTypes == WeightTypes(.f16))
        }
    }

    @Test func severalVariantsAreNamed() throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            let weights = try Data(contentsOf: copy.weights)
            for name in ["fp16", "ema", "fp16-00001-of-00002"] {
                try weights.write(to: copy.unet.appendingPathComponent("diffusion_pytorch_model.\(name).safetensors"))
            }
            try FileManager.default.removeItem(at: copy.weights)
            let text = refusal(copy.url)
            #expect(text.contains("'ema', 'fp16'") && text.contains("--variant ema") && !text.contains("of-00002"))
            _ = try PipelineFolder(copy.url).reading(variant: "ema").load()
        }
    }

    /// A variant is a word and no path.
    @Test(arguments: ["", "..", "../x", "a/b", "sparse", "fp16-00001-of-00002", "fp 16", "\u{1B}[31m"])
    func whatIsNoNameIsNoVariant(name: String) throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            try copy.move(Self.plain, to: "diffusion_pytorch_model.fp16.safetensors")
            let text = refusal(copy.url, name)
            #expect(text.contains("there is no variant") && !text.contains("\u{1B}"))
        }
    }

    @Test func whatIsThereInsteadIsNamed() throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            try copy.move(Self.plain, to: "model.safetensors")
            #expect(refusal(copy.url).contains("only model.safetensors"))
            try copy.move("model.safetensors", to: "diffusion_pytorch_model.fp16.bin")
            #expect(refusal(copy.url).contains("only a pickle (diffusion_pytorch_model.fp16.bin)"))
        }
    }

    /// A folder cloned without git-lfs: weights, shards, configurations.
    @Test func pointersOfGitLFSAreNamed() throws {
        let pointer = """
            version https://git-lfs.github.com/spec/v1
            oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
            size 48348

            """
        try withTemporaryFolder { folder in
            for (fixture, file) in [
                ("plain", "diffusion_pytorch_model.safetensors"), ("plain", "config.json"),
                ("sharded", "diffusion_pytorch_model.safetensors.index.json"),
                ("sharded", "diffusion_pytorch_model-00001-of-00005.safetensors"),
            ] {
                let copy = try ModelCopy(in: folder, of: fixture)
                defer { try? FileManager.default.removeItem(at: copy.url) }
                let url = copy.unet.appendingPathComponent(file)
                #expect(FileManager.default.fileExists(atPath: url.path), "\(file)")
                try Data(pointer.utf8).write(to: url)
                #expect(throws: StorageError.gitLFSPointer(path: url.path), "\(file)") {
                    try PipelineFolder(copy.url).load()
                }
            }
        }
    }

    /// Cut short.
    @Test func aBrokenVariantIsRefused() throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            let file = copy.unet.appendingPathComponent("diffusion_pytorch_model.fp16.safetensors")
            let whole = try Data(contentsOf: copy.weights)
            try FileManager.default.removeItem(at: copy.weights)
            for length in [0, 7, 8, 100, whole.count / 2, whole.count - 1] {
                try whole.prefix(length).write(to: file)
                let got = error(SafetensorsError.self) { _ = try PipelineFolder(copy.url).load() }
                #expect(got.map { "\($0)" }?.contains("fp16.safetensors") == true, "\(length)")
            }
        }
    }
}

extension ModelCopy {
    /// The bytes of another fixture's weights.
    fileprivate func tensors(of name: String) throws -> Data {
        try Data(
            contentsOf: PipelineFixture.named(name).url.appendingPathComponent(
                "unet/diffusion_pytorch_model.safetensors"))
    }
}

import Files
import Foundation
import ModelFolders
import TestSupport
import Testing
import WeightFiles

/// Model folders: read whatever their age, written as today's diffusers writes them.
@Suite struct PipelineFolderTests {
    private static let weights = "unet/diffusion_pytorch_model.safetensors"

    @Test func theFixturesAreThere() {
        #expect(PipelineFixture.all.count == 51)
    }

    /// Sharded, float16, bfloat16 and root-level folders too: what was read is what is written, bit for bit.
    @Test(arguments: PipelineFixture.all) func savingAndLoadingIsFaithful(fixture: PipelineFixture) throws {
        try withTemporaryFolder { folder in
            let first = try PipelineFolder(fixture.url).load()
            #expect(try fixture.deviation(of: first.model) <= 1e-4)

            let saved = PipelineFolder(folder.appendingPathComponent("model"))
            try saved.save(first)
            let second = try saved.load()
            // The scheduler's file stays as it was, with what is not known of it.
            #expect(second.warnings.map(Self.behindPath) == first.warnings.map(Self.behindPath))
            #expect(second.model.configuration == first.model.configuration)
            #expect(try second.scheduler == first.scheduler)
            #expect(second.pruning == nil)
            #expect(second.model.parameters.map(\.name) == first.model.parameters.map(\.name))
            for (a, b) in zip(first.model.parameters, second.model.parameters) {
                #expect(
                    a.variable.value.array.map(\.bitPattern) == b.variable.value.array.map(\.bitPattern), "\(a.name)")
            }
            // Today's layout and names, the types of the source.
            #expect(try contents(saved.url) == ["model_index.json", "scheduler", "unet"])
            let file = try SafetensorsFile(contentsOf: saved.url.appendingPathComponent(Self.weights))
            #expect(file.metadata == ["format": "pt"])
            #expect(first.weightTypes == second.weightTypes)
            if fixture.url != PipelineFixture.legacy.url {
                let original = try Weights.open(fixture.url.appendingPathComponent(Self.weights))
                #expect(file.names == original.names)
                for name in file.names {
                    #expect(try file.shape(of: name) == original.shape(of: name), "\(name)")
                    #expect(try file.floats(name) == original.floats(name), "\(name)")
                    #expect(try file.elementType(of: name) == original.elementType(of: name), "\(name)")
                }
            }
        }
    }

    private static func behindPath(_ warning: String) -> String {
        String(warning.split(separator: ":", maxSplits: 1).last ?? "")
    }

    /// To the byte what safetensors wrote for PyTorch.
    @Test(arguments: ["plain", "float16", "bfloat16"]) func aSavedFileIsTheOneRead(name: String) throws {
        try withTemporaryFolder { folder in
            let fixture = PipelineFixture.named(name).url
            let saved = PipelineFolder(folder.appendingPathComponent("model"))
            try saved.save(PipelineFolder(fixture).load())
            for file in [Self.weights, "scheduler/scheduler_config.json"] {
                let (ours, theirs) = (saved.url.appendingPathComponent(file), fixture.appendingPathComponent(file))
                #expect(try Data(contentsOf: ours) == Data(contentsOf: theirs), "\(file)")
            }
        }
    }

    @Test(arguments: ["float16", "bfloat16", "sharded"]) func storageFixturesAreWhatTheySay(name: String) throws {
        let source = try Weights.open(PipelineFixture.named(name).url.appendingPathComponent(Self.weights))
        let type: ElementType = ["float16": .f16, "bfloat16": .bf16][name] ?? .f32
        #expect(try source.names.allSatisfy { try source.elementType(of: $0) == type })
        #expect((source is ShardedSafetensors) == (name == "sharded"))
    }

    /// As download caches keep a model: every file a link to one of another name in another folder.
    @Test(arguments: ["plain", "sharded"]) func aFolderOfLinksIsTheFilesTheyLeadTo(name: String) throws {
        try withTemporaryFolder { folder in
            let manager = FileManager.default
            let source = PipelineFixture.named(name).url
            let (blobs, snapshot) = (folder.appendingPathComponent("blobs"), folder.appendingPathComponent("snapshot"))
            try manager.createDirectory(at: blobs, withIntermediateDirectories: false)
            for (number, path) in try manager.subpathsOfDirectory(atPath: source.path).enumerated() {
                let (file, link) = (source.appendingPathComponent(path), snapshot.appendingPathComponent(path))
                var isFolder: ObjCBool = false
                guard manager.fileExists(atPath: file.path, isDirectory: &isFolder), !isFolder.boolValue else {
                    continue
                }
                let blob = blobs.appendingPathComponent("\(number)")
                try manager.copyItem(at: file, to: blob)
                try manager.createDirectory(at: link.deletingLastPathComponent(), withIntermediateDirectories: true)
                try manager.createSymbolicLink(at: link, withDestinationURL: blob)
            }
            let model = folder.appendingPathComponent("model")
            try manager.createSymbolicLink(at: model, withDestinationURL: snapshot)
            let (linked, plain) = (try PipelineFolder(model).load(), try PipelineFolder(source).load())
            #expect(linked.warnings == plain.warnings)
            #expect(try linked.scheduler == plain.scheduler)
            for (a, b) in zip(linked.model.parameters, plain.model.parameters) {
                #expect(a.name == b.name && a.variable.value.array == b.variable.value.array, "\(a.name)")
            }
        }
    }

    @Test func theFirstReleasesNamesBecomeTodays() throws {
        let old = try SafetensorsFile(
            contentsOf: PipelineFixture.legacy.url.appendingPathComponent("diffusion_pytorch_model.safetensors"))
        #expect(old.names.contains("mid_block.attentions.0.proj_attn.weight"))
        let pipeline = try PipelineFolder(PipelineFixture.legacy.url).load()
        #expect(try pipeline.scheduler.varianceType == .fixedLarge)
        #expect(pipeline.warnings.count == 1 && pipeline.warnings[0].contains("timestep_values"))
        let renamed = [".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."]
        let expected = old.names.map { name in
            renamed.reduce(name) { $0.replacingOccurrences(of: $1.key, with: $1.value) }
        }
        #expect(Set(pipeline.model.parameters.map(\.name)) == Set(expected))
    }

    // MARK: variants of the old layout

    private struct OldFolder {
        let url: URL
        private let tensors: [NamedTensor]

        /// A copy of the old folder, its tensors changed by `change`.
        init(in folder: URL, _ change: (inout [NamedTensor]) -> Void) throws {
            url = folder.appendingPathComponent("old")
            try FileManager.default.copyItem(at: PipelineFixture.legacy.url, to: url)
            let file = url.appendingPathComponent("diffusion_pytorch_model.safetensors")
            let source = try SafetensorsFile(contentsOf: file)
            var tensors = try source.names.map {
                NamedTensor($0, shape: try source.shape(of: $0), floats: try source.floats($0))
            }
            change(&tensors)
            self.tensors = tensors
            try FileManager.default.removeItem(at: file)
            try SafetensorsWriter.write(tensors, to: file)
        }
    }

    /// The oldest files keep attention projections as 1×1 convolutions.
    @Test func projectionsStoredAsConvolutionsAreRead() throws {
        try withTemporaryFolder { folder in
            let old = try OldFolder(in: folder) { tensors in
                for index in tensors.indices
                where tensors[index].name.contains("attentions") && tensors[index].shape.count == 2 {
                    tensors[index].shape += [1, 1]
                }
            }
            let model = try PipelineFolder(old.url).load().model
            #expect(try PipelineFixture.legacy.deviation(of: model) <= 1e-4)
        }
    }

    @Test func aTensorUnderBothItsNamesIsRefused() throws {
        try withTemporaryFolder { folder in
            let name = "mid_block.attentions.0.query.weight"
            let old = try OldFolder(in: folder) { tensors in
                guard var twin = tensors.first(where: { $0.name == name }) else { return }
                twin.name = "mid_block.attentions.0.to_q.weight"
                tensors.append(twin)
            }
            #expect {
                _ = try PipelineFolder(old.url).load()
            } throws: {
                guard case ModelFolderError.extraTensor(_, name, 0)? = $0 as? ModelFolderError else { return false }
                return true
            }
        }
    }

    @Test func aMissingProjectionIsNamedAsToday() throws {
        try withTemporaryFolder { folder in
            let old = try OldFolder(in: folder) {
                $0.removeAll { $0.name.hasSuffix("up_blocks.0.attentions.1.key.bias") }
            }
            #expect {
                _ = try PipelineFolder(old.url).load()
            } throws: {
                guard
                    case ModelFolderError.missingTensor(_, "up_blocks.0.attentions.1.to_k.bias", 0)? = $0
                        as? ModelFolderError
                else { return false }
                return true
            }
        }
    }

    // MARK: pruned models

    /// Every axis loses its odd channels; the record says so, and the folder gives the same model back.
    @Test(arguments: ["plain", "skip-pyramid-deep", "skip-attention"])
    func aPrunedModelComesBackTheSame(name: String) throws {
        try withTemporaryFolder { folder in
            let pruned = try PrunedFolder(name, in: folder)
            try pruned.expectSame(pruned.folder.load())
        }
    }

    /// As diffusers' `save_pretrained` leaves it: no `pruning.json`, keys sorted.
    @Test(arguments: ["plain", "skip-pyramid-deep", "skip-attention"])
    func aPrunedModelComesBackByItsConfigurationAlone(name: String) throws {
        try withTemporaryFolder { folder in
            let pruned = try PrunedFolder(name, in: folder)
            try FileManager.default.removeItem(at: pruned.folder.url.appendingPathComponent("pruning.json"))
            try pruned.expectSame(pruned.folder.load())
        }
    }

    @Test func aPrunedFolderSaysToDiffusersHowToLoadIt() throws {
        try withTemporaryFolder { folder in
            let pruned = try PrunedFolder("plain", in: folder)
            let url = pruned.folder.url
            #expect(try contents(url) == ["model_index.json", "pruning.json", "scheduler", "unet"])
            #expect(
                try contents(url.appendingPathComponent("unet")) == [
                    "config.json", "diffusion_pytorch_model.safetensors", "modeling_diffprune.py",
                ])
            let index = try JSONFile.read(url.appendingPathComponent("model_index.json"))
            #expect(index["unet"] == ["modeling_diffprune", "PrunedUNet2DModel"])
            let configuration = try JSONFile.read(url.appendingPathComponent("unet/config.json"))
            #expect(configuration["_class_name"] == "PrunedUNet2DModel")
            let axes = configuration["pruning"]?["axes"]
            #expect(axes?["conv_in.out"] == ["width": 4, "kept": "0 2"])
            let tensors = configuration["pruning"]?["tensors"]
            #expect(tensors?["conv_in.weight"] == [["conv_in.out"], nil, nil, nil])
            // A norm over a stream and the skip that meets it there.
            #expect(tensors?["up_blocks.0.resnets.0.norm1.weight"]?.arrayValue?.first?.arrayValue?.count == 2)
        }
    }

    @Test(arguments: ["0-9", "3 2", "2-1", "-1", "a", "0-1-2", "1 1"])
    func channelsThatNoAxisHasAreRefused(kept: String) throws {
        try withTemporaryFolder { folder in
            let pruned = try PrunedFolder("plain", in: folder)
            try pruned.setKept(of: "conv_in.out", to: kept)
            #expect {
                _ = try pruned.folder.load()
            } throws: {
                "\($0)".contains("config.json: 'pruning.axes.conv_in.out.kept' is '\(kept)', expected ascending ranges")
            }
        }
    }

    @Test func aConfigurationAndARecordThatDisagreeAreRefused() throws {
        try withTemporaryFolder { folder in
            let pruned = try PrunedFolder("plain", in: folder)
            try pruned.setKept(of: "conv_in.out", to: "0-3")
            #expect {
                _ = try pruned.folder.load()
            } throws: {
                "\($0)".contains("'pruning' has other channels than pruning.json")
            }
        }
    }
}

/// A fixture's model without its odd channels, saved.
private struct PrunedFolder {
    let folder: PipelineFolder
    let pipeline: Pipeline

    init(_ name: String, in parent: URL) throws {
        let dense = try PipelineFolder(PipelineFixture.named(name).url).load()
        var kept: [String: [Int]] = [:]
        for group in dense.model.channelGroups { kept[group.name] = group.kept.filter { $0 % 2 == 0 } }
        let model = try dense.model.rebuilt(keeping: kept)
        model.initialize(seed: 3)
        let change = PruningRecord.Change(dense: 2, pruned: 1)
        let record = PruningRecord(
            method: "test", configuration: "", seed: 0, asked: .init(quantity: "sparsity", value: 0.5),
            achieved: .init(parameters: change, macs: change, channels: change),
            groups: model.channelGroups.map { .init(name: $0.name, originalWidth: $0.originalWidth, kept: $0.kept) })
        pipeline = try Pipeline(model: model, scheduler: dense.scheduler, pruning: record)
        folder = PipelineFolder(parent.appendingPathComponent("model"))
        try folder.save(pipeline)
    }

    func setKept(of axis: String, to kept: String) throws {
        let file = folder.url.appendingPathComponent("unet/config.json")
        let changed = try JSONFile.read(file).overlaid(
            with: ["pruning": ["axes": .object([axis: ["kept": .string(kept)]])]])
        try FileManager.default.removeItem(at: file)
        try JSONFile.write(changed, to: file)
    }

    func expectSame(_ back: Pipeline) throws {
        #expect(back.warnings.isEmpty)
        #expect(back.pruning == pipeline.pruning)
        #expect(back.model.keptChannels == pipeline.model.keptChannels)
        for (a, b) in zip(pipeline.model.parameters, back.model.parameters) {
            #expect(a.name == b.name && a.variable.value.array == b.variable.value.array, "\(a.name)")
        }
    }
}

import Foundation
import TestSupport
import Testing
import WeightFiles

@testable import ModelFolders

/// Tensors under the names that PyTorch's wrappers of modules give them.
@Suite struct WrappedNamesTests {
    private func renamed(_ tensor: NamedTensor, _ prefix: String) -> NamedTensor {
        var tensor = tensor
        tensor.name = prefix + tensor.name
        return tensor
    }

    @Test(arguments: ["_orig_mod.", "module.", "model.", "module._orig_mod.", "ema_model.", "unet."])
    func whatAllNamesBeginWithIsLeftOut(prefix: String) throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            try copy.rewrite { renamed($0, prefix) }
            let pipeline = try PipelineFolder(copy.url).load()
            #expect(try PipelineFixture.named("plain").deviation(of: pipeline.model) <= 1e-4)
            #expect(pipeline.warnings.count == 1 && pipeline.warnings[0].contains("'\(prefix)'"))
            // What is saved has the plain names.
            let saved = PipelineFolder(folder.appendingPathComponent("saved"))
            try saved.save(pipeline)
            #expect(try saved.load().warnings.isEmpty)
        }
    }

    /// torch.optim.swa_utils.AveragedModel counts what it has averaged.
    @Test func anAveragedModelsCounterIsNoWeight() throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            let tensors = try copy.tensors().map { renamed($0, "module.") }
            try SafetensorsWriter.write(
                tensors + [NamedTensor("n_averaged", shape: [], integers: [7])], to: copy.weights)
            #expect(
                try PipelineFixture.named("plain").deviation(of: PipelineFolder(copy.url).load().model) <= 1e-4)
        }
    }

    @Test func oldNamesOfAttentionMayBeWrappedToo() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("old")
            try FileManager.default.copyItem(at: PipelineFixture.legacy.url, to: url)
            let file = url.appendingPathComponent("diffusion_pytorch_model.safetensors")
            let source = try SafetensorsFile(contentsOf: file)
            try SafetensorsWriter.write(
                source.names.map {
                    NamedTensor("_orig_mod." + $0, shape: try source.shape(of: $0), floats: try source.floats($0))
                }, to: file)
            #expect(try PipelineFixture.legacy.deviation(of: PipelineFolder(url).load().model) <= 1e-4)
        }
    }

    @Test func aMixtureIsRefused() throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            let count = try copy.tensors().count
            try copy.rewrite { $0.name.hasPrefix("mid_block") ? renamed($0, "module.") : $0 }
            let got = error(ModelFolderError.self) { _ = try PipelineFolder(copy.url).load() }
            let wrapped = try SafetensorsFile(contentsOf: copy.weights).names.count { $0.hasPrefix("module.") }
            #expect(
                got.map { "\($0)" }?.contains("\(wrapped) of \(count) tensors have names that begin with 'module.'")
                    == true)
        }
    }

    /// Names as long as their file, or of characters that join with what stands before them.
    @Test func hostileNamesAreRefusedInTime() throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            let tensors = try copy.tensors()
            for prefix in [String(repeating: ".", count: 2_000_000), "module.\u{301}", ".", "..", "\u{0}."] {
                for count in [1, tensors.count] {
                    let clock = ContinuousClock.now
                    let wrapped = tensors.prefix(count).map { renamed($0, prefix) } + tensors.dropFirst(count)
                    // The long name once: a header has its bounds.
                    guard prefix.count < 100 || count == 1 else { continue }
                    try SafetensorsWriter.write(wrapped, to: copy.weights)
                    let got = error(ModelFolderError.self) { _ = try PipelineFolder(copy.url).load() }
                    #expect(got == nil ? count > 1 : "\(got!)".utf8.count < 2000 || prefix.count > 100, "\(count)")
                    #expect(ContinuousClock.now - clock < .seconds(20))
                }
            }
        }
    }

    /// Nothing of the model's own names is taken for a wrapper.
    @Test func aFileOfOneBlockIsMissingTheOthers() throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            try copy.rewrite { $0.name.hasPrefix("mid_block.resnets.0.") ? $0 : nil }
            let got = error(ModelFolderError.self) { _ = try PipelineFolder(copy.url).load() }
            guard case .tooFewWeights? = got else {
                Issue.record("\(String(describing: got))")
                return
            }
        }
    }
}

import Foundation
import TestSupport
import Testing
import WeightFiles

@testable import ModelFolders

/// What weights are stored as: as they came, or as one asks.
@Suite struct WeightTypesTests {
    @Test func eachTensorKeepsItsType() throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            try copy.rewrite {
                guard case .floats(let values) = $0.elements else { return nil }
                return NamedTensor(
                    $0.name, shape: $0.shape, floats: values, storedAs: $0.name.contains("norm") ? .f32 : .bf16)
            }
            let before = try Data(contentsOf: copy.weights)
            let pipeline = try PipelineFolder(copy.url).load()
            #expect(pipeline.weightTypes.name == "bfloat16")
            #expect(
                pipeline.weightTypes["conv_in.weight"] == .bf16 && pipeline.weightTypes["conv_norm_out.bias"] == .f32)
            #expect(
                pipeline.weightTypes.summary.hasPrefix("bfloat16, ")
                    && pipeline.weightTypes.summary.hasSuffix("otherwise"))
            let saved = PipelineFolder(folder.appendingPathComponent("saved"))
            try saved.save(pipeline)
            let weights = saved.url.appendingPathComponent("unet/diffusion_pytorch_model.safetensors")
            #expect(try Data(contentsOf: weights) == before)
        }
    }

    @Test func anyTypeCanBeAskedFor() throws {
        let pipeline = try PipelineFolder(PipelineFixture.named("plain").url).load()
        try withTemporaryFolder { folder in
            var sizes: [String: Int] = [:]
            for name in WeightTypes.allNames {
                var asked = pipeline
                asked.weightTypes = try #require(WeightTypes(named: name))
                let saved = PipelineFolder(folder.appendingPathComponent(name))
                try saved.save(asked)
                sizes[name] = try saved.weightBytes()
                let back = try saved.load()
                #expect(back.weightTypes.summary == name)
                // What is computed is that of the rounded weights.
                #expect(
                    try PipelineFixture.named("plain").deviation(of: back.model) <= (name == "float32" ? 1e-4 : 0.1))
            }
            let full = try #require(sizes["float32"])
            #expect(sizes.filter { $0.value < full * 7 / 10 }.keys.sorted() == ["bfloat16", "float16"])
        }
        #expect(WeightTypes(named: "float64") == nil && WeightTypes(named: "") == nil)
        #expect(WeightTypes(.f64) == .float32)
    }

    @Test func whatIsTooLargeIsRefusedAndNothingIsWritten() throws {
        var pipeline = try PipelineFolder(PipelineFixture.named("plain").url).load()
        let parameter = try #require(pipeline.model.parameters.first { $0.name == "conv_out.bias" })
        parameter.variable.value.fill(70000)
        pipeline.weightTypes = WeightTypes(.f16)
        try withTemporaryFolder { folder in
            let saved = PipelineFolder(folder.appendingPathComponent("model"))
            let got = error(ModelFolderError.self) { try saved.save(pipeline) }
            let text = got.map { "\($0)" } ?? ""
            #expect(text.contains("'conv_out.bias' holds 70000") && text.contains("--dtype bfloat16 or float32"))
            #expect(try contents(folder) == [])
            pipeline.weightTypes = WeightTypes(.bf16)
            try saved.save(pipeline)
        }
    }
}

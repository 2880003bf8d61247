import Foundation
import Models
import TestSupport
import Testing

@testable import ModelFolders

/// Pruned models that lost their `pruning.json`, as diffusers' `save_pretrained` loses it.
@Suite struct LostRecordTests {
    /// Saves the plain fixture with some channels left and takes the record away.
    private func withLost(
        _ name: String = "plain", keeping choose: (String, [Int]) -> [Int], _ body: (URL, UNet) throws -> Void
    ) throws {
        try withTemporaryFolder { folder in
            let dense = try PipelineFolder(PipelineFixture.named(name).url).load()
            var kept: [String: [Int]] = [:]
            for group in dense.model.channelGroups { kept[group.name] = choose(group.name, group.kept) }
            let model = try dense.model.rebuilt(keeping: kept)
            model.initialize(seed: 3)
            let url = folder.appendingPathComponent("model")
            try PipelineFolder(url).save(dense.become(model, pruning: nil))
            try body(url, model)
        }
    }

    private func refusal(_ url: URL) -> String {
        "\(error(ModelFolderError.self) { _ = try PipelineFolder(url).load() }.map { "\($0)" } ?? "loaded")"
    }

    @Test(arguments: [2, 3, 6]) func narrowerWeightsAreRecognised(every: Int) throws {
        try withLost(keeping: { _, kept in kept.filter { $0 % every == 0 } }) { url, _ in
            let text = refusal(url)
            #expect(text.contains("has shape") && text.contains("a pruned model without its pruning.json?"), "\(text)")
        }
    }

    @Test func oneNarrowAxisIsEnough() throws {
        try withLost(keeping: { $0 == "mid_block.resnets.0.inner" ? Array($1.dropLast()) : $1 }) { url, _ in
            #expect(refusal(url).contains("without its pruning.json?"))
        }
    }

    @Test func blocksThatAreGoneAreRecognised() throws {
        try withLost(keeping: { $0.hasSuffix("resnets.1.inner") && $0.hasPrefix("mid") ? [] : $1 }) { url, _ in
            let text = refusal(url)
            #expect(text.contains("is missing") && text.contains("without its pruning.json?"), "\(text)")
        }
    }

    /// Wider weights are of another model, and so are those of another shape.
    @Test func otherModelsAreNotTakenForPrunedOnes() throws {
        try withTemporaryFolder { folder in
            let copy = try ModelCopy(in: folder)
            try copy.rewrite {
                guard $0.name == "conv_in.bias", case .floats(let values) = $0.elements else { return $0 }
                return .init($0.name, shape: [values.count + 1], floats: values + [0])
            }
            #expect(refusal(copy.url).contains("tensor 'conv_in.bias' has shape"))
            #expect(!refusal(copy.url).contains("pruning.json"))
        }
    }

    /// A record says what the widths are: what differs from it is damage.
    @Test func weightsThatDoNotFitTheirRecordAreMisshapen() throws {
        try withLost(keeping: { $1.filter { $0 % 2 == 0 } }) { url, model in
            let change = PruningRecord.Change(dense: 2, pruned: 1)
            let record = PruningRecord(
                method: "test", configuration: "", seed: 0, asked: .init(quantity: "sparsity", value: 0.5),
                achieved: .init(parameters: change, macs: change, channels: change),
                groups: model.channelGroups.map {
                    .init(name: $0.name, originalWidth: $0.originalWidth, kept: Array(0..<$0.originalWidth))
                })
            try ModelFolder(url).write(record)
            #expect(!refusal(url).contains("without its"))
        }
    }
}

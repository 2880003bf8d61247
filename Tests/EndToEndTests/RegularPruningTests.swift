import TestSupport
import Foundation
import Layers
import ModelFolders
import Testing

/// The bundled model, pruned to half by granularity `regular`, is one that plain group normalisation can compute.
@Suite struct RegularPruningTests {
    @Test func theBundledModelKeepsEqualGroupsAndMultiples() throws {
        let scratch = try Scratch()
        let sample = Repository.url("Samples/models/fashion-unet")
        let result = try Tool.run(
            "prune", "--model", sample.path, "--output", scratch.path("run"), "--method", "magnitude", "--target",
            "macs=0.5", "--finetune-steps", "0", "--quiet", "--set", "pruning.granularity=regular",
            "pruning.multiple=16")
        #expect(result.status == 0 && result.complaints.isEmpty, "\(result.errors)")

        let pruned = try PipelineFolder(scratch.url.appendingPathComponent("run/model")).load()
        // Two in each of 14 ResNet blocks, one in each of four attentions, and the last.
        #expect(pruned.model.normalizations.count == 33)
        for norm in pruned.model.normalizations.compactMap({ $0 as? GroupNorm }) {
            #expect(Set(norm.groups.widths).count == 1, "\(norm.gamma.name)")
            #expect(norm.groups.widths.count == 8, "\(norm.gamma.name)")
        }
        for group in pruned.model.channelGroups { #expect(group.width % 16 == 0, "\(group.name): \(group.width)") }
        let ratio = try #require(pruned.pruning).achieved.macs.ratio
        #expect(ratio <= 0.5 && ratio > 0.45)
        #expect(pruned.model.channelGroups.count { $0.width < $0.originalWidth } > 5)
    }
}

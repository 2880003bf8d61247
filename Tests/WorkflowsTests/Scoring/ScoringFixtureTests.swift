import TestSupport
import Foundation
import ModelFolders
import PruningMethods
import Testing
import WeightFiles
import Workflows

/// `score` from file to file against PyTorch's scores in float64.
@Suite struct ScoringFixtureTests {
    private let root = Fixtures.url("scores")
    private let pipeline: Pipeline
    private let expected: SafetensorsFile
    private let folder: TemporaryFolder

    init() throws {
        pipeline = try PipelineFolder(root.appendingPathComponent("model")).load()
        expected = try SafetensorsFile(contentsOf: root.appendingPathComponent("expected.safetensors"))
        folder = try TemporaryFolder()
    }

    private func score(_ criterion: String, seed: Int = 0, probes: Int = 64) throws -> (
        SafetensorsFile, ScoringOutcome
    ) {
        let output = folder.url.appendingPathComponent("scores.safetensors")
        defer { try? FileManager.default.removeItem(at: output) }
        let request = ScoringRequest(
            try ScoreCriterion(named: criterion), images: .batch(root.appendingPathComponent("batch.safetensors")),
            seed: seed, probes: probes)
        let outcome = try ScoringWorkflow(pipeline, request, output: output).run()
        return (try SafetensorsFile(contentsOf: output), outcome)
    }

    private func compare(_ got: SafetensorsFile, _ criterion: String) throws -> (cosine: Double, norms: Double) {
        var (dot, ours, theirs) = (0.0, 0.0, 0.0)
        for name in expected.names where name.hasPrefix(criterion + "/") {
            let tensor = String(name.dropFirst(criterion.count + 1))
            let shape = try expected.shape(of: name)
            try #require(got.shape(of: tensor) == shape)
            for (a, b) in zip(try got.floats(tensor), try expected.floats(name)) {
                dot += Double(a) * Double(b)
                ours += Double(a) * Double(a)
                theirs += Double(b) * Double(b)
            }
        }
        return (dot / (ours * theirs).squareRoot(), (ours / theirs).squareRoot())
    }

    /// A batch of few images is one part, where the criterion that adds up parts' sizes is the elementwise one.
    @Test(arguments: [
        ("magnitude", "magnitude"), ("taylor", "taylor"), ("elementwise-taylor", "taylor"), ("snip", "snip"),
        ("elementwise-gradient-flow", "gradient-flow"), ("fisher", "fisher"),
    ])
    func elementwiseScoresAgreeWithPyTorch(criterion: String, golden: String) throws {
        let (file, outcome) = try score(criterion)
        let (cosine, norms) = try compare(file, golden)
        #expect(cosine >= 0.9999 && abs(norms - 1) <= 1e-4, "\(cosine), \(norms)")
        let loss = Double(try expected.floats("loss")[0])
        #expect(abs(try #require(outcome.loss) - loss) <= 1e-5 * loss)
        #expect(file.names.filter { !$0.hasPrefix("group:") }.count == outcome.tensors)
    }

    /// The estimate of the Hessian's diagonal comes ever closer to the exact one, as 1/√probes.
    @Test func obdConverges() throws {
        let few = try compare(score("obd", probes: 32).0, "obd").cosine
        let many = try compare(score("obd", probes: 1024).0, "obd").cosine
        #expect(many > 0.9 && few < many, "\(few), \(many)")
        #expect(try compare(score("obd", seed: 1, probes: 32).0, "obd").cosine != few)
    }

    /// GraSP ranks by the size of −w·(H·g) turned round: what raises the gradient norm leaves first.
    @Test func graspIsTheElementwiseFlowTurnedRound() throws {
        let (grasp, flow) = (try score("grasp").0, try score("elementwise-gradient-flow").0)
        for name in flow.names where !name.hasPrefix("group:") {
            #expect(try grasp.floats(name) == flow.floats(name).map { -$0 }, "\(name)")
        }
    }

    @Test(arguments: [
        "magnitude", "taylor", "gradient-flow", "one-shot", "random", "diff-pruning", "snip", "fisher", "obs",
        "synflow",
    ])
    func channelsHaveScores(criterion: String) throws {
        let (file, outcome) = try score(criterion)
        let prunable = pipeline.model.channelGroups.filter(\.isPrunable)
        #expect(outcome.groups == prunable.count)
        for group in prunable {
            let values = try file.floats("group:\(group.name)")
            #expect(values.count == group.width && values.allSatisfy(\.isFinite))
            #expect(values.allSatisfy { $0 >= 0 } && Set(values).count > 1)
        }
    }

    /// What ranks weights only has nothing to say about channels.
    @Test(arguments: ["wanda", "elementwise-gradient-flow", "elementwise-taylor"])
    func criteriaOfWeightsScoreNoChannels(criterion: String) throws {
        let (file, outcome) = try score(criterion)
        #expect(outcome.groups == 0 && !file.names.contains { $0.hasPrefix("group:") })
    }

    /// `score` and `prune` mean the same by a name.
    @Test func everyCriterionOfTheCatalogueCanBeScored() throws {
        for name in ScoreCriterion.names { #expect(try ScoreCriterion(named: name).name == name) }
        #expect(Set(ScoreCriterion.names).count == ScoreCriterion.names.count)
        for entry in MethodCatalog.all where entry.criterion != nil {
            #expect(ScoreCriterion.names.contains(entry.card.name))
        }
        #expect {
            _ = try ScoreCriterion(named: "tailor")
        } throws: {
            "\($0)".contains("'tailor'") && "\($0)".contains("taylor")
        }
    }

    @Test func randomScoresFollowTheSeed() throws {
        let first = try score("random", seed: 1).0.floats("conv_in.weight")
        #expect(try score("random", seed: 1).0.floats("conv_in.weight") == first)
        #expect(try score("random", seed: 2).0.floats("conv_in.weight") != first)
        #expect(first.allSatisfy { (0..<1).contains($0) } && Set(first).count > 30)
    }

    /// Elementwise diff-pruning scores add up to the channel's over all weights on it: for the time embedding's hidden
    /// axis those are a row and a bias of one layer and a column of the next.
    @Test func diffPruningSumsOverTheChannel() throws {
        let file = try score("diff-pruning").0
        let group = try file.floats("group:time_embedding.hidden")
        let (first, bias, second) = try (
            file.floats("time_embedding.linear_1.weight"), file.floats("time_embedding.linear_1.bias"),
            file.floats("time_embedding.linear_2.weight")
        )
        let inputs = first.count / group.count
        let outputs = second.count / group.count
        for channel in group.indices {
            let row = first[(channel * inputs)..<((channel + 1) * inputs)].reduce(0, +)
            let column = (0..<outputs).reduce(Float(0)) { $0 + second[$1 * group.count + channel] }
            let sum = row + bias[channel] + column
            #expect(abs(sum - group[channel]) <= 1e-5 * max(sum, 1e-3))
        }
    }
}

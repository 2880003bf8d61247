import TestSupport
import Files
import Foundation
import Reports
import ModelFolders
import Runs
import Testing

@testable import Workflows

@Suite struct EvaluationReportTests {
    @Test func theReportHasAllSectionsAndLoadsNothing() throws {
        try EvaluationFixtures.with { fixtures in
            let dense = try fixtures.model("dense", size: 32)
            let run = try fixtures.prunedRun("run", of: dense)
            var settings = EvaluationFixtures.settings
            settings.data.path = Repository.url("Samples/fashion-mnist").path
            settings.features = Repository.url("Samples/models/fashion-features")
            _ = try EvaluationWorkflow(
                settings, dense: LoadedPipeline(dense), pruned: LoadedPipeline(run.appendingPathComponent("model")),
                in: RunContext(output: fixtures.url("out"), command: "diffprune evaluate --dense 'a & b'")
            ).run()
            let page = try String(
                contentsOf: fixtures.url("out").appendingPathComponent("report.html"), encoding: .utf8)
            for section in [
                "Pictures", "Predictions", "Cost", "Quality", "Widths", "The pruning run", "Making it again",
            ] {
                #expect(page.contains("<h2>\(section)</h2>"), "\(section)")
            }
            #expect(
                page.contains("diffprune evaluate --dense 'a &amp; b'") || page.contains("--dense &#39;a &amp; b&#39;"))
            #expect(page.contains("macs=0.6"))
            #expect(page.contains("fashion-classifier-64"))
            #expect(page.contains("mid_block.resnets.0.inner"))
            #expect(page.components(separatedBy: "src=\"data:image/png;base64,").count == 5)
            let outside = ["http:", "https:", "<script", "<link", "@import", "url("]
            for mark in outside { #expect(!page.contains(mark), "\(mark)") }
            #expect(page.components(separatedBy: "src=").count == page.components(separatedBy: "src=\"data:").count)
        }
    }

    /// Twelve reports in twelve tabs are told apart, and each says what made it.
    @Test func methodTargetVersionAndCommandAreSaid() throws {
        try EvaluationFixtures.with { fixtures in
            let dense = try fixtures.model("dense")
            let run = try fixtures.prunedRun("run", of: dense)
            func evaluate(_ first: URL, _ second: URL, to name: String) throws -> (EvaluationResult, String, JSONValue)
            {
                let result = try EvaluationWorkflow(
                    EvaluationFixtures.settings, dense: LoadedPipeline(first), pruned: LoadedPipeline(second),
                    in: RunContext(output: fixtures.url(name), command: "diffprune evaluate as typed")
                ).run()
                let folder = fixtures.url(name)
                return (
                    result,
                    try String(contentsOf: folder.appendingPathComponent("report.html"), encoding: .utf8),
                    try JSONFile.read(folder.appendingPathComponent("metrics.json"))
                )
            }
            let model = run.appendingPathComponent("model")
            let (result, page, json) = try evaluate(dense, model, to: "out")
            #expect(page.contains("<title>magnitude, macs=0.6, seed 0: dense and pruned, from the same noise</title>"))
            #expect(page.contains("Pruned by <code>magnitude</code> to <code>macs=0.6</code>"))
            #expect(page.contains("diffprune \(Provenance.currentVersion), "))
            #expect(!page.contains("1 threads"))
            #expect(json.at("made_by.command") == "diffprune evaluate as typed")
            #expect(json.at("made_by.date") == .string(result.madeBy.date))
            #expect(json.at("pruning.method") == "magnitude" && json.at("pruning.target") == "macs=0.6")
            #expect(!result.warnings.contains { $0.contains("swapped") })

            let again = try fixtures.prunedRun("again", of: model).appendingPathComponent("model")
            #expect(
                try evaluate(dense, again, to: "twice").1.contains(
                    "Pruned by <code>magnitude</code> to <code>macs=0.6</code>, then that by <code>magnitude</code> to")
            )

            let (swapped, _, other) = try evaluate(model, dense, to: "swapped")
            #expect(swapped.warnings.contains { $0.contains("--dense and --pruned swapped?") })
            #expect(other["pruning"] == .null)
        }
    }

    @Test func theKindOfRunIsSaid() {
        func title(_ kind: RunHistory.Kind) -> String {
            HistorySection(RunHistory([], kind: kind, configuration: ""), groups: []).section().title
        }
        #expect(title(.prune) == "The pruning run" && title(.finetune) == "The fine-tuning run")
        #expect(title(.train) == "The training run")
    }

    @Test func aRunsHistoryIsPlotted() throws {
        let lines: [JSONValue] = [
            [
                "step": 0, "update": 1, "density": 0.8, "softness": 0.3, "energy": -2.5, "recovered": 0, "removed": 3,
                "widths": [],
            ],
            ["step": 10, "loss": 0.5],
            [
                "step": 20, "update": 2, "density": 0.5, "softness": 0.0, "energy": -3.5, "recovered": 1, "removed": 4,
                "widths": [],
            ],
            ["step": 30, "loss": 0.25],
        ]
        let history = RunHistory(lines, configuration: "method: {}")
        #expect(history.updates.map(\.report.energy) == [-2.5, -3.5])
        #expect(history.training.map(\.loss) == [0.5, 0.25])
        let titles = HistorySection(history, groups: [], quantity: "MACs").section().blocks.compactMap { block in
            if case .plot(let plot, _) = block { plot.title } else { nil }
        }
        #expect(
            titles == [
                "MACs left after each mask update", "Energy over time", "Channels that came back and left",
                "Fine-tuning loss",
            ])
    }

    /// The keys of `metrics.jsonl`, as other programs read them.
    @Test func aMaskUpdateIsLoggedAsItIsRead() throws {
        let line: JSONValue = [
            "update": 2, "density": 0.5, "softness": 0.25, "energy": -1.5, "calibration_loss": 0.75, "recovered": 1,
            "removed": 4, "widths": [2, 0.5],
        ]
        let entry = try line.decoded(as: MaskUpdateEntry.self)
        #expect(entry.number == 2 && entry.report.loss == 0.75 && entry.report.widths == [2, 0.5])
        #expect(try JSONValue(encoding: entry) == line)
        let history = RunHistory([line, ["update": 3, "density": 0.5], ["step": 1, "loss": 2]], configuration: "")
        #expect(history.updates == [entry], "half a report is none")
    }

    @Test func sharesOfGroupsArePlottedOverUpdates() throws {
        let lines = [[8, 2], [4, 3], [1]].enumerated().map { number, widths -> JSONValue in
            [
                "update": .int(number + 1), "density": 1, "softness": 0, "recovered": 0, "removed": 0,
                "widths": .array(widths.map { .int($0) }),
            ]
        }
        func maps(_ groups: [HistorySection.Group]) -> [HeatMap] {
            HistorySection(RunHistory(lines, configuration: ""), groups: groups).section().blocks.compactMap {
                if case .plot(let plot, _) = $0 { plot as? HeatMap } else { nil }
            }
        }
        let map = try #require(maps([.init(name: "a", width: 8), .init(name: "b", width: 4)]).first)
        #expect(map.rows == ["a", "b"] && map.columns == ["1", "2", "3"])
        #expect(map.values == [[1, 0.5, nil], [0.5, 0.75, nil]], "a line with other groups is no value")
        #expect(maps([.init(name: "a", width: 8)]).first?.values == [[nil, nil, 0.125]])
        #expect(maps([]).isEmpty)
        #expect(maps([.init(name: "a", width: 7), .init(name: "b", width: 2)]).isEmpty, "wider than the groups")
    }

    @Test func aModelOutsideARunFolderHasNoHistory() throws {
        try EvaluationFixtures.with { fixtures in
            let model = try fixtures.model("dense")
            #expect(try RunHistory.beside(model: model) == nil)
        }
    }
}

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
                command: "diffprune evaluate --dense 'a & b'", in: RunContext(output: fixtures.url("out"))
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
        let titles = HistorySection(history, groups: []).section().blocks.compactMap { block in
            if case .plot(let plot, _) = block { plot.title } else { nil }
        }
        #expect(
            titles == ["Density over time", "Energy over time", "Channels that came back and left", "Fine-tuning loss"])
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

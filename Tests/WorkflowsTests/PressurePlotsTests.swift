import Files
import Reports
import Testing

@testable import Workflows

/// What a reader sees of a run under a pressure.
@Suite struct PressurePlotsTests {
    /// Pruning in epochs 1 and 2, regrowth in 3, then the cut.
    private static let lines: [JSONValue] = [
        line(1, 0.9, removed: 10, recovered: 0, ["pressure": 0.0, "effective_pressure": 0.0, "wanted": 0.7]),
        line(2, 0.52, removed: 45, recovered: 7, ["pressure": 4.0, "effective_pressure": 8.0, "wanted": 0.5]),
        line(3, 0.55, removed: 0, recovered: 3, ["stage": "regrowth", "pressure": 0.0, "effective_pressure": 0.0]),
        [
            "step": 30, "update": 4, "density": 0.5, "softness": 0.0, "recovered": 0, "removed": 5, "widths": [50.0],
        ],
    ]

    private static func line(
        _ epoch: Int, _ left: Double, removed: Int, recovered: Int, _ more: JSONValue
    ) -> JSONValue {
        let shared: JSONValue = [
            "step": .int(10 * epoch), "update": .int(epoch), "density": .double(left), "softness": 0.0,
            "recovered": .int(recovered), "removed": .int(removed), "widths": [.double(100 * left)],
            "epoch": .int(epoch), "stage": "pruning", "remaining": .double(left), "pruned": 40,
            "pruned_share": 0.4, "pruned_flow": 2e-6, "live_flow": 1e-5,
        ]
        return shared.overlaid(with: more)
    }

    private func blocks() -> [ReportBlock] {
        HistorySection(RunHistory(Self.lines, configuration: ""), groups: [], quantity: "weights").section().blocks
    }

    private func plots() -> [LinePlot] {
        blocks().compactMap { if case .plot(let plot, _) = $0 { plot as? LinePlot } else { nil } }
    }

    @Test func weightsAreSeenToLeaveAndComeBack() throws {
        #expect(
            plots().map(\.title) == [
                "Left and wanted, epoch by epoch", "Pressure", "Weights that went and came back", "Flow",
            ])
        let series = plots().map(\.series)
        try #require(series.count == 4)
        let (left, pressure, moves, flow) = (series[0], series[1], series[2], series[3])
        #expect(left.map(\.name) == ["left", "wanted", "pruned weights"])
        #expect(left[0].points.map(\.x) == [1, 2, 3] && left[0].points.map(\.y) == [0.9, 0.52, 0.55])
        #expect(left[1].points.map(\.y) == [0.7, 0.5] && left[1].isDashed)
        #expect(pressure.map { $0.points.map(\.y) } == [[0, 4, 0], [0, 8, 0]])
        #expect(moves.map { $0.points.map(\.y) } == [[10, 45, 0], [0, 7, 3]])
        #expect(flow.map { $0.points.map(\.y) } == [[2e-6, 2e-6, 2e-6], [1e-5, 1e-5, 1e-5]])
    }

    @Test func theTextSaysWhatTheSchedulerMissedBy() throws {
        guard case .paragraph(let text)? = blocks().first else {
            Issue.record("there is no text")
            return
        }
        #expect(text.contains("After 2 epochs of pruning 52"))
        #expect(text.contains("2 percentage points more than wanted"))
        #expect(text.contains("regrowth included, it was 55") && text.contains("The cut to the budget left 50"))
    }

    /// The members of a pressure lie beside the others, where TensorBoard's events find them.
    @Test func aPressureIsLoggedAsItIsRead() throws {
        for line in Self.lines {
            guard case .object(var members) = line else { continue }
            members["step"] = nil
            let entry = try JSONValue.object(members).decoded(as: MaskUpdateEntry.self)
            #expect((entry.report.pressure == nil) == (entry.number == 4))
            let again = try JSONValue(encoding: entry)
            #expect(try again.decoded(as: MaskUpdateEntry.self) == entry)
            #expect(Set(try #require(again.objectValue).keys) == Set(members.keys))
        }
    }
}

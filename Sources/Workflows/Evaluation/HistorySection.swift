import Pruning
import Reports

/// How the pruning run went.
struct HistorySection {
    /// A channel group as it was before the run.
    struct Group {
        let name: String
        let width: Int
    }

    private let history: RunHistory
    private let groups: [Group]

    /// - Parameter groups: those of the model, in the order of the log's widths.
    init(_ history: RunHistory, groups: [Group]) {
        self.history = history
        self.groups = groups
    }

    func section() -> HTMLReport.Section {
        var blocks: [ReportBlock] = []
        let updates = history.updates
        if updates.count > 1 {
            blocks += [
                plot(
                    "Density over time", "share",
                    [("density", { $0.density }), ("undecided (softness)", { $0.softness })],
                    caption: "Share of the quantity pruned for that is left, and how undecided the masks are."),
                plot(
                    "Energy over time", "energy", [("energy", { $0.energy })],
                    caption: "What the masks descend. Fine-tuning and the falling density move it too."),
                plot(
                    "Channels that came back and left", "channels",
                    [("recovered", { Double($0.recovered) }), ("removed", { Double($0.removed) })],
                    caption: "Between one mask update and the next."),
                shares(updates),
                plot(
                    "Loss at mask updates", "calibration loss", [("loss", { $0.loss })],
                    caption: "On fixed images and noise, with the masks as they were."),
            ].compactMap { $0 }
        } else if let only = updates.first {
            blocks.append(
                .paragraph(
                    "One mask update, to a density of \(NumberText.short(only.report.density, digits: 3)): "
                        + "a one-shot method."))
        }
        if history.training.count > 1 {
            blocks.append(
                .plot(
                    LinePlot(
                        title: "Fine-tuning loss", xAxis: Axis("step"), yAxis: Axis("loss"),
                        series: [
                            .init("loss", points: history.training.map { .init(x: $0.step, y: $0.loss) })
                        ]), caption: "Mean over the steps since the last line of the log."))
        }
        if blocks.isEmpty { blocks.append(.paragraph("The run noted nothing but its result.")) }
        return HTMLReport.Section("The pruning run", blocks)
    }

    /// What every group has left after every update; nil where the log's widths are not those of the groups.
    private func shares(_ updates: [MaskUpdateEntry]) -> ReportBlock? {
        guard !groups.isEmpty, updates.contains(where: isOfTheGroups) else { return nil }
        let values = groups.indices.map { group in
            updates.map { update -> Double? in
                guard isOfTheGroups(update), groups[group].width > 0 else { return nil }
                return update.report.widths[group] / Double(groups[group].width)
            }
        }
        return .plot(
            HeatMap(
                title: "Channels left, group by group", rows: groups.map(\.name),
                columns: updates.map { "\($0.number)" }, values: values, columnTitle: "mask update",
                valueAxis: Axis("share of the group's channels, by the sum of their masks", range: 0...1)),
            caption: "A row that grows brighter again is a group whose channels come back.")
    }

    /// Whether an update's widths are those of the groups, and not of weights.
    private func isOfTheGroups(_ update: MaskUpdateEntry) -> Bool {
        let widths = update.report.widths
        return widths.count == groups.count && zip(widths, groups).allSatisfy { $0 <= Double($1.width) }
    }

    private func plot(
        _ title: String, _ unit: String, _ curves: [(name: String, value: (MaskUpdateReport) -> Double?)],
        caption: String
    ) -> ReportBlock? {
        let series = curves.map { curve in
            LinePlot.Series(
                curve.name,
                points: history.updates.compactMap { update in
                    curve.value(update.report).map { LinePlot.Point(x: Double(update.number), y: $0) }
                })
        }.filter { !$0.points.isEmpty }
        guard !series.isEmpty else { return nil }
        return .plot(
            LinePlot(
                title: title, xAxis: Axis("mask update"), yAxis: Axis(unit, includesZero: unit != "energy"),
                series: series),
            caption: caption)
    }
}

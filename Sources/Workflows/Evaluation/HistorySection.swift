import Pruning
import Reports

/// How the run went that the model is the result of.
struct HistorySection {
    /// A channel group as it was before the run.
    struct Group {
        let name: String
        let width: Int
    }

    private let history: RunHistory
    private let groups: [Group]
    private let quantity: String?

    /// - Parameters:
    ///   - groups: those of the model, in the order of the log's widths.
    ///   - quantity: what the run pruned for, "MACs"; nil where that is not known.
    init(_ history: RunHistory, groups: [Group], quantity: String? = nil) {
        self.history = history
        self.groups = groups
        self.quantity = quantity
    }

    func section() -> HTMLReport.Section {
        var blocks: [ReportBlock] = []
        let updates = history.updates
        let isOfWeights = !updates.contains(where: isOfTheGroups)
        if let plots = PressurePlots(
            updates, noun: isOfWeights ? "weights" : "channels", quantity: quantity ?? "quantity pruned for")
        {
            blocks += plots.blocks + [shares(updates)].compactMap { $0 }
        } else if updates.count > 1 {
            blocks += [
                plot(
                    "\(quantity ?? "Share") left after each mask update", "share",
                    [("left", { $0.density }), ("undecided", { $0.softness })],
                    caption: "Left: the share of the \(quantity ?? "quantity pruned for") that the masks leave, soft "
                        + "ones counted by their sum. Undecided: the mean of 4·m·(1 − m) over the masks, 0 where each "
                        + "is 0 or 1."),
                plot(
                    "Energy over time", "energy", [("energy", { $0.energy })],
                    caption: "What the masks descend. Fine-tuning moves it too, and so does that less and less is left."
                ),
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
                    "One mask update, which leaves \(NumberText.percent(only.report.density)) of the "
                        + "\(quantity ?? "quantity pruned for"): a one-shot method."))
        }
        if history.training.count > 1 {
            blocks.append(
                .plot(
                    LinePlot(
                        title: history.kind == .train ? "Training loss" : "Fine-tuning loss",
                        xAxis: Axis("step", isWhole: true), yAxis: Axis("loss"),
                        series: [
                            .init("loss", points: history.training.map { .init(x: $0.step, y: $0.loss) })
                        ]), caption: "Mean over the steps since the last line of the log."))
        }
        if blocks.isEmpty { blocks.append(.paragraph("The run noted nothing but its result.")) }
        return HTMLReport.Section("The \(history.kind.name) run", blocks)
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
                title: title, xAxis: Axis("mask update", isWhole: true),
                yAxis: Axis(unit, includesZero: unit != "energy"), series: series),
            caption: caption)
    }
}

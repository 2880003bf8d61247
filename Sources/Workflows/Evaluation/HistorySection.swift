import Reports

/// How the pruning run went.
struct HistorySection {
    private let history: RunHistory

    init(_ history: RunHistory) { self.history = history }

    func section() -> HTMLReport.Section {
        var blocks: [ReportBlock] = []
        let updates = history.updates
        if updates.count > 1 {
            blocks += [
                plot(
                    "Density over time", "share", [("density", \.density), ("undecided (softness)", \.softness)],
                    caption: "Share of the quantity pruned for that is left, and how undecided the masks are."),
                plot(
                    "Energy over time", "energy", [("energy", \.energy)],
                    caption: "What the masks descend. Fine-tuning and the falling density move it too."),
                plot(
                    "Channels that came back and left", "channels",
                    [("recovered", \.recovered), ("removed", \.removed)],
                    caption: "Between one mask update and the next."),
                plot(
                    "Loss at mask updates", "calibration loss", [("loss", \.calibrationLoss)],
                    caption: "On fixed images and noise, with the masks as they were."),
            ].compactMap { $0 }
        } else if let only = updates.first, let density = only.density {
            blocks.append(
                .paragraph(
                    "One mask update, to a density of \(NumberText.short(density, digits: 3)): a one-shot method."))
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

    private func plot(
        _ title: String, _ unit: String, _ curves: [(name: String, value: KeyPath<RunHistory.Update, Double?>)],
        caption: String
    ) -> ReportBlock? {
        let series = curves.map { curve in
            LinePlot.Series(
                curve.name,
                points: history.updates.compactMap { update in
                    update[keyPath: curve.value].map { LinePlot.Point(x: update.number, y: $0) }
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

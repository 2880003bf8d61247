import Pruning
import Reports

/// How masks went under a pressure: what was left and what was wanted, the pressure, what left and came back, and what
/// held against it.
struct PressurePlots {
    private let epochs: [(update: MaskUpdateReport, pressure: PressureReport)]
    /// After the last epoch: the cut to the budget; nil where the run ended before.
    private let cut: MaskUpdateReport?
    /// What is masked: "weights".
    private let noun: String
    /// What the run pruned for: "MACs".
    private let quantity: String

    /// nil where no update of the run had a pressure.
    ///
    /// - Parameters:
    ///   - updates: in order.
    ///   - noun: what is masked: "weights".
    ///   - quantity: what the run pruned for: "MACs".
    init?(_ updates: [MaskUpdateEntry], noun: String, quantity: String) {
        epochs = updates.compactMap { entry in entry.report.pressure.map { (entry.report, $0) } }
        guard !epochs.isEmpty else { return nil }
        cut = updates.last.flatMap { $0.report.pressure == nil ? $0.report : nil }
        self.noun = noun
        self.quantity = quantity
    }

    var blocks: [ReportBlock] {
        [
            .paragraph(summary),
            plot(
                "Left and wanted, epoch by epoch", Axis("share", range: 0...1),
                [
                    curve("left") { $0.pressure.remaining }, curve("wanted", isDashed: true) { $0.pressure.wanted },
                    curve("pruned \(noun)") { $0.pressure.prunedShare },
                ],
                caption: "Left: the share of the \(quantity) that the masks leave. Wanted: where the scheduler leads "
                    + "it. Pruned: the share of the \(noun) that is away. \(stages)"),
            plot(
                "Pressure", Axis("pressure", includesZero: true),
                [
                    curve("γ") { $0.pressure.pressure },
                    curve("γ_eff, as the loss has it") { $0.pressure.effectivePressure },
                ],
                caption: "It rises while more is left than wanted, and falls while less is. \(stages)"),
            plot(
                "\(noun.prefix(1).uppercased() + noun.dropFirst()) that went and came back",
                Axis("\(noun) in an epoch", scale: .logarithmic),
                [
                    curve("went") { Double($0.update.removed) }, curve("came back") { Double($0.update.recovered) },
                ],
                caption: "Between the ends of one epoch and of the next."),
            plot(
                "Flow", Axis("mean |gradient|", scale: .logarithmic),
                [
                    curve("felt by what is pruned") { $0.pressure.prunedFlow },
                    curve("felt by what is there") { $0.pressure.liveFlow },
                ],
                caption: "Of the loss with respect to t, pressure apart, over the steps of the epoch: what pulls the "
                    + "pruned back, and moves the others."),
        ].compactMap { $0 }
    }

    /// Where the scheduler landed by itself, and what became of that.
    private var summary: String {
        func percent(_ share: Double) -> String { NumberText.percent(share, decimals: 2) }
        var text = ""
        if let landed = epochs.last(where: { $0.pressure.stage == .pruning })?.pressure {
            text = "After \(landed.epoch) epochs of pruning \(percent(landed.remaining)) of the \(quantity) was left"
            if let wanted = landed.wanted {
                let miss = 100 * (landed.remaining - wanted)
                text +=
                    ", \(NumberText.fixed(abs(miss), decimals: 2)) percentage points "
                    + "\(miss < 0 ? "less" : "more") than wanted: so far the scheduler leads by itself"
            }
            text += "."
        }
        if let last = epochs.last?.pressure, last.stage == .regrowth {
            text += " After \(last.epoch) epochs, those of regrowth included, it was \(percent(last.remaining))."
        }
        if let cut { text += " The cut to the budget left \(percent(cut.density))." }
        return text
    }

    private var stages: String {
        guard let first = epochs.first(where: { $0.pressure.stage == .regrowth })?.pressure.epoch else { return "" }
        return "Regrowth, without pressure, begins with epoch \(first)."
    }

    private func curve(
        _ name: String, isDashed: Bool = false,
        _ value: ((update: MaskUpdateReport, pressure: PressureReport)) -> Double?
    ) -> LinePlot.Series {
        LinePlot.Series(
            name,
            points: epochs.compactMap { epoch in
                value(epoch).map { LinePlot.Point(x: Double(epoch.pressure.epoch), y: $0) }
            }, isDashed: isDashed)
    }

    private func plot(_ title: String, _ axis: Axis, _ series: [LinePlot.Series], caption: String) -> ReportBlock? {
        let drawn = series.filter { !$0.points.isEmpty }
        guard !drawn.isEmpty else { return nil }
        return .plot(
            LinePlot(title: title, xAxis: Axis("epoch", isWhole: true), yAxis: axis, series: drawn), caption: caption)
    }
}

import Foundation
import PruningMethods
import Reports

/// `report.html` of a pressure law.
struct LawReport {
    let outcome: LawOutcome

    func page() throws -> HTMLReport {
        var page = HTMLReport(title: "What a constant pressure leaves", summary: summary)
        page.cards = cards
        page.sections = [try law(), epochs(), try reproduction()]
        page.provenance = provenance
        return page
    }

    private var summary: String {
        let plan = outcome.configuration.law
        return "\(plan.points) runs under constant pressures from \(NumberText.short(plan.lowest)) to "
            + "\(NumberText.short(plan.highest)), each from the same model. "
            + (outcome.laws + [outcome.verdict]).map { $0.prefix(1).uppercased() + $0.dropFirst() + "." }
            .joined(separator: " ")
    }

    private var cards: [HTMLReport.Card] {
        func card(_ title: String, _ law: PressureLaw?, _ published: String) -> HTMLReport.Card {
            HTMLReport.Card(
                title: title,
                value: law.map { NumberText.fixed($0.determination, decimals: 4, keepZeros: true) } ?? "—",
                detail: "the authors' ResNet-50 on CIFAR-10: \(published)")
        }
        var cards = [
            card("R², pure law", outcome.pure, "0.987"), card("R², quadratic law", outcome.quadratic, "0.9975"),
        ]
        if let prediction = outcome.prediction {
            cards.append(
                HTMLReport.Card(
                    title: "Predicted pressure", value: NumberText.short(prediction.pressure, digits: 3),
                    detail: "to leave \(NumberText.percent(outcome.wanted))"))
        }
        if let check = outcome.check {
            cards.append(
                HTMLReport.Card(
                    title: "Left at it", value: NumberText.percent(check.remaining, decimals: 2),
                    detail: "\(NumberText.percent(outcome.wanted, decimals: 2)) wanted"))
        }
        return cards
    }

    // MARK: the law

    /// Points and fits, in logarithms.
    var plot: LinePlot {
        let pressures = outcome.runs.map(\.pressure) + (outcome.check.map { [$0.pressure] } ?? [])
        let (low, high) = (pressures.min() ?? 1, pressures.max() ?? 1)
        func points(_ use: (LawRun.Use) -> Bool) -> [LinePlot.Point] {
            outcome.runs.filter { use($0.use(above: outcome.lowest)) }.map { .init(x: $0.pressure, y: $0.remaining) }
        }
        func curve(_ name: String, _ law: PressureLaw?) -> LinePlot.Series? {
            law.map { law in
                LinePlot.Series(
                    name,
                    points: (0...80).map { step in
                        let pressure = low * pow(high / low, Double(step) / 80)
                        return .init(x: pressure, y: law.remaining(at: pressure))
                    })
            }
        }
        let series: [LinePlot.Series?] = [
            LinePlot.Series("measured", points: points { $0 == .fitted }, isScattered: true),
            curve("pure law", outcome.pure), curve("quadratic law", outcome.quadratic),
            LinePlot.Series("measured, not fitted", points: points { $0 != .fitted }, isScattered: true),
            outcome.check.map { check in
                LinePlot.Series(
                    "at the predicted pressure", points: [.init(x: check.pressure, y: check.remaining)],
                    isScattered: true)
            },
        ]
        return LinePlot(
            title: "Share left over pressure", xAxis: Axis("pressure γ", scale: .logarithmic),
            yAxis: Axis("share left", scale: .logarithmic),
            series: series.compactMap { $0 }.filter { !$0.points.isEmpty })
    }

    private func law() throws -> HTMLReport.Section {
        var table = ReportTable(
            columns: [
                .number("Pressure γ"), .number("left"), .number("pure law"), .number("quadratic law"),
                .number("drift"), .name("note"),
            ],
            caption:
                "Drift: how much of what was left when four fifths of the epochs were done has gone since; far from "
                + "0 a run was too short for its pressure.")
        for row in outcome.rows { try table.append(row) }
        return HTMLReport.Section(
            "The law",
            [
                .plot(
                    plot,
                    caption:
                        "Each point is a run; both laws are least squares of ln s over ln γ. A pure power law is a "
                        + "line here."), .table(table), .list(outcome.laws), .paragraph(outcome.verdict),
            ])
    }

    private func epochs() -> HTMLReport.Section {
        let runs = outcome.runs.map { ("γ = \(NumberText.short($0.pressure, digits: 3))", $0) }
        let check = outcome.check.map { [("check, γ = \(NumberText.short($0.pressure, digits: 3))", $0)] } ?? []
        return HTMLReport.Section(
            "The runs",
            [
                .plot(
                    LinePlot(
                        title: "Share left, epoch by epoch", xAxis: Axis("epoch", isWhole: true),
                        yAxis: Axis("share left", scale: .logarithmic),
                        series: (runs + check).map { name, run in
                            LinePlot.Series(
                                name,
                                points: run.epochs.enumerated().map { .init(x: Double($0 + 1), y: $1) })
                        }),
                    caption: "A curve that still falls at its end has not settled, and what it leaves is too much.")
            ])
    }

    // MARK: how

    private func reproduction() throws -> HTMLReport.Section {
        var blocks: [ReportBlock] = []
        if let command = outcome.madeBy.command {
            blocks.append(.preformatted(command, caption: "This law was measured by"))
        }
        blocks.append(
            .details(
                "Configuration of the law",
                [.preformatted(try outcome.configuration.yaml, caption: "config.yaml, fully resolved")]))
        return HTMLReport.Section("Making it again", blocks)
    }

    private var provenance: [(name: String, value: String)] {
        [("Model", "`\(outcome.configuration.law.model)`"), ReportText.maker(outcome.madeBy)]
    }
}

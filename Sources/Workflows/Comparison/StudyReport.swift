import Files
import Foundation
import Reports
import Statistics

/// `report.html` of a study.
struct StudyReport<Evaluation: StudyComparing> {
    let outcome: StudyOutcome<Evaluation>
    let summary: StudySummary
    /// The contact sheet, a PNG file; nil where there are no pictures yet.
    let sheet: Data?

    private var plan: StudyPlan { outcome.configuration.study }
    /// What the others are held against.
    private var reference: String { plan.methods[0] }
    /// What decides.
    private var first: StudyQuantity { Evaluation.quantities[0] }

    func page() throws -> HTMLReport {
        var page = HTMLReport(title: title, summary: lead)
        if let sheet {
            page.sections.append(
                HTMLReport.Section(
                    "Pictures",
                    [
                        .paragraph(
                            "A row a method, a column a picture: all start from the same noise as the dense model's in "
                                + "the first row. The first pictures of the first seed, not the best."),
                        .images([
                            try ReportImage(
                                png: sheet, caption: "", description: "Pictures of every method beside the dense ones",
                                scale: 1)
                        ]),
                    ]))
        }
        page.sections += [try results(), tradeOffs(), try differences()]
        if let unfinished = try unfinished() { page.sections.append(unfinished) }
        page.sections.append(try reproduction())
        page.provenance = try provenance
        return page
    }

    private var title: String {
        "\(plan.methods.count == 1 ? "1 method" : "\(plan.methods.count) methods") at "
            + "\(plan.targets.joined(separator: ", ")), \(Evaluation.circumstance)"
    }

    private var lead: String {
        let done = summary.rows.reduce(0) { $0 + $1.seeds.count }
        var text =
            "\(done) of \(outcome.runs.count) runs are done: \(ReportText.count(plan.methods.count, "method")) × "
            + "\(ReportText.count(plan.targets.count, "target")) × \(ReportText.count(plan.seeds, "seed")), with "
            + (plan.equal == .steps ? "equally many fine-tuning steps." : "equal time for pruning and fine-tuning.")
        for target in plan.targets {
            let ranked = summary.rows.filter { $0.target == target }
                .compactMap { row in row.quantities[0].map { (row, $0.mean) } }.sorted { $0.1 > $1.1 }
            guard ranked.count > 1, let best = ranked.first else { continue }
            let ties = ranked.dropFirst().filter { isTie(best.0.name, $0.0.name, target) }.map(\.0.name)
            text +=
                " At \(target) `\(best.0.name)` has the highest \(first.title), "
                + fixed(first.scale * best.1, first.decimals) + (first.unit.map { " \($0)" } ?? "")
                + (ties.isEmpty ? "." : ", in a tie with \(ties.map { "`\($0)`" }.joined(separator: ", ")).")
        }
        return text
    }

    private func isTie(_ name: String, _ other: String, _ target: String) -> Bool {
        let found =
            summary.difference(name, over: other, at: target) ?? summary.difference(other, over: name, at: target)
        return !(found?.quantities[0]?.isSignificant ?? false)
    }

    // MARK: sections

    private func results() throws -> HTMLReport.Section {
        var blocks: [ReportBlock] = []
        for target in plan.targets {
            let rows = summary.rows.filter { $0.target == target }
            guard !rows.isEmpty else { continue }
            let hasWeights = rows.contains { $0.weights != nil }
            var table = ReportTable(
                columns: [.name("Method")] + Evaluation.quantities.map { .number($0.column) }
                    + [.number(Evaluation.readings[0].title)]
                    + (hasWeights ? [.number("weights")] : []) + [
                        .number("MACs"), .number("params"), .number("time"), .number("steps"), .number("spent"),
                    ],
                caption: "Means over seeds\(seedNote(rows)). MACs, params (parameters)\(hasWeights ? ", weights" : "") "
                    + "and time (of \(Evaluation.step)) are what is left of the dense model's; steps of fine-tuning; "
                    + "spent: time for pruning and fine-tuning.")
            let best = rows.compactMap { $0.quantities[0]?.mean }.max()
            for row in rows {
                var cells = [row.name]
                cells += zip(Evaluation.quantities, row.quantities).map { text($1, $0.decimals, times: $0.scale) }
                cells.append(text(row.reading, 3))
                if hasWeights { cells.append(row.weights.map { "× \(fixed($0.mean, 3))" } ?? "—") }
                cells += [row.macs, row.parameters, row.time].map { "× \(fixed($0.mean, 3))" }
                cells += [
                    NumberText.short(Double(row.finetuningSteps)), duration(row.seconds.mean),
                ]
                try table.append(cells, isEmphasized: row.quantities[0]?.mean == best && best != nil)
            }
            blocks += [.heading(target), .table(table)]
        }
        if blocks.isEmpty { blocks.append(.note("No run is done yet.", kind: .information)) }
        return HTMLReport.Section("Results", blocks)
    }

    /// What the brackets say, and where seeds are missing.
    private func seedNote(_ rows: [StudySummary.Row]) -> String {
        let missing = rows.filter { $0.seeds.count < plan.seeds }
        return (plan.seeds > 1 ? "; in brackets half the width of their 95 % interval" : "")
            + (missing.isEmpty
                ? ""
                : "; not all seeds are done of \(missing.map { "`\($0.name)`" }.joined(separator: ", "))")
    }

    private func tradeOffs() -> HTMLReport.Section {
        typealias Row = StudySummary.Row
        let across: [(String, String?, (Row) -> Double)] = [
            ("MACs left", nil, { $0.macs.mean }), ("parameters left", nil, { $0.parameters.mean }),
            ("time of a step, of the dense model's", nil, { $0.time.mean }),
            ("time spent", "s", { $0.seconds.mean }),
        ]
        let up: [(name: String, unit: String?, scale: Double, value: (Row) -> SampleStatistics?)] =
            Evaluation.quantities.enumerated().map { index, quantity in
                (quantity.title, quantity.unit, quantity.scale, { $0.quantities[index] })
            } + [(Evaluation.readings[0].longTitle, nil, 1, \.reading)]
        var blocks: [ReportBlock] = []
        for (x, unit, position) in across {
            var plots: [ReportBlock] = []
            for (y, yUnit, scale, value) in up where summary.rows.contains(where: { value($0) != nil }) {
                let series = plan.methods.map { name in
                    LinePlot.Series(
                        name,
                        points: summary.rows.filter { $0.name == name }.sorted { position($0) < position($1) }
                            .compactMap { row in
                                value(row).map {
                                    LinePlot.Point(
                                        x: position(row), y: scale * $0.mean,
                                        band: plan.seeds > 1 ? scale * $0.minimum...scale * $0.maximum : nil)
                                }
                            })
                }
                plots.append(
                    .plot(
                        LinePlot(
                            title: "\(y) over \(x)", xAxis: Axis(x, unit: unit),
                            yAxis: Axis(y, unit: yUnit), series: series.filter { !$0.points.isEmpty }
                        ),
                        caption: "\(y), a point a target"
                            + (plan.seeds > 1 ? "; bands: from the lowest seed to the highest." : ".")))
            }
            guard !plots.isEmpty else { continue }
            blocks += [.heading("Over \(x)")] + plots
        }
        return HTMLReport.Section("Trade-offs", blocks)
    }

    private func differences() throws -> HTMLReport.Section {
        var blocks: [ReportBlock] = []
        for target in plan.targets {
            let found = plan.methods.dropFirst().compactMap {
                summary.difference($0, over: reference, at: target)
            }
            guard !found.isEmpty else { continue }
            var table = ReportTable(
                columns: [.name("Method")]
                    + Evaluation.quantities.flatMap { quantity -> [ReportTable.Column] in
                        [.number(quantity.column), .number("95 % interval"), .name("verdict")]
                    } + [.number("seeds")],
                caption: "How far each is above `\(reference)` on the same pictures with the same seeds; the interval "
                    + "is over "
                    + (plan.seeds > 1
                        ? "pictures and seeds." : "pictures alone: with one seed nothing is known of other ones."))
            for difference in found {
                try table.append(
                    [difference.name]
                        + zip(Evaluation.quantities, difference.quantities).flatMap { cells($1, of: $0) }
                        + ["\(difference.seeds)"])
            }
            blocks += [.heading(target), .table(table)]
        }
        if blocks.isEmpty {
            blocks.append(.note("There are no two methods with a seed in common yet.", kind: .information))
        }
        return HTMLReport.Section("Differences", blocks)
    }

    private func cells(_ difference: CrossedDifference?, of quantity: StudyQuantity) -> [String] {
        guard let difference else { return ["—", "—", "—"] }
        let (decimals, scale) = (quantity.differenceDecimals, quantity.scale)
        let interval = difference.interval.map {
            "\(signed(scale * $0.lowerBound, decimals)) – \(signed(scale * $0.upperBound, decimals))"
        }
        let verdict = !difference.isSignificant ? "a tie" : difference.mean > 0 ? "better" : "worse"
        return [signed(scale * difference.mean, decimals), interval ?? "—", verdict]
    }

    private func unfinished() throws -> HTMLReport.Section? {
        var blocks: [ReportBlock] = outcome.failures.map {
            .note("\($0.cell.title) failed: \($0.reason)", kind: .warning)
        }
        for (state, words) in [("under-way", "under way in other processes"), ("open", "not begun, or stopped")] {
            let runs = outcome.runs.filter { $0.state.word == state }
            guard !runs.isEmpty else { continue }
            blocks += [.paragraph("\(ReportText.count(runs.count, "run")) \(words):"), .list(runs.map(\.cell.title))]
        }
        return blocks.isEmpty ? nil : HTMLReport.Section("Runs without a result", blocks)
    }

    private func reproduction() throws -> HTMLReport.Section {
        var blocks: [ReportBlock] = []
        if let command = outcome.madeBy.command {
            blocks.append(.preformatted(command, caption: "This study was made by"))
        }
        blocks.append(
            .details(
                "Configuration of the study",
                [.preformatted(try outcome.configuration.values.yaml, caption: "config.yaml, fully resolved")]))
        return HTMLReport.Section("Making it again", blocks)
    }

    private var provenance: [(name: String, value: String)] {
        get throws {
            var entries = outcome.configuration.evaluation.provenance(try outcome.configuration.data)
            entries.append(ReportText.maker(outcome.madeBy))
            return entries
        }
    }

    // MARK: numbers

    private func fixed(_ value: Double, _ decimals: Int) -> String {
        NumberText.fixed(value, decimals: decimals, keepZeros: true)
    }

    private func signed(_ value: Double, _ decimals: Int) -> String {
        (value > 0 ? "+" : "") + fixed(value, decimals)
    }

    private func text(_ statistics: SampleStatistics?, _ decimals: Int, times scale: Double = 1) -> String {
        guard let statistics else { return "—" }
        let half = statistics.confidenceInterval95.map {
            " (± \(fixed(scale * ($0.upperBound - statistics.mean), decimals)))"
        }
        return fixed(scale * statistics.mean, decimals) + (half ?? "")
    }

    private func duration(_ seconds: Double) -> String {
        seconds < 100 ? "\(NumberText.short(seconds, digits: 2)) s" : "\(fixed(seconds / 60, 1)) min"
    }
}

import Files
import ModelFolders
import Reports
import Statistics

/// `report.html` of a comparison of two classifiers.
struct ClassifierEvaluationReport {
    let result: ClassifierEvaluationResult
    let dense: StoredImageClassifier
    let pruned: StoredImageClassifier
    let history: RunHistory?
    /// How to make the report again; may be empty.
    let instructions: String
    let densePath: String
    let prunedPath: String

    /// More classes than these have no picture of their confusion.
    private static let shownClasses = 40

    func page() throws -> HTMLReport {
        var page = HTMLReport(title: title, summary: summary)
        page.cards = cards
        let widths = WidthSection(dense: dense.model, pruned: pruned.model)
        page.sections = [
            try accuracy(), confusion(), try EfficiencySection(result.efficiency, step: "classification").section(),
            try widths.section(),
        ]
        if let history {
            page.sections.append(
                HistorySection(history, groups: widths.groups, quantity: pruned.pruning?.quantityName).section())
        }
        if !instructions.isEmpty {
            page.sections.append(
                HTMLReport.Section(
                    "Making it again", [.preformatted(instructions, caption: "This report was made by")]))
        }
        page.provenance = provenance
        return page
    }

    private var title: String {
        let what = "dense and pruned, on the same images"
        guard let record = result.pruning else { return "D" + what.dropFirst() }
        return "\(record.method), \(record.request), seed \(record.seed): \(what)"
    }

    private func percent(_ value: Double) -> String { NumberText.percent(value, decimals: 2) }

    private var summary: String {
        let efficiency = result.efficiency
        return "The pruned model keeps \(NumberText.percent(efficiency.macs.ratio)) of the multiply–accumulates and "
            + "\(NumberText.percent(efficiency.parameters.ratio)) of the parameters. Of "
            + "\(ReportText.count(result.count, "image")) it classifies \(percent(result.pruned.accuracy.mean)) "
            + "correctly, the dense model \(percent(result.dense.accuracy.mean)); both agree on "
            + "\(percent(result.agreement.mean))."
    }

    private var cards: [HTMLReport.Card] {
        let efficiency = result.efficiency
        func ratio(
            _ title: String, _ pair: EvaluationResult.Pair, _ text: (Double) -> String
        ) -> HTMLReport.Card {
            HTMLReport.Card(
                title: title, value: "× " + NumberText.fixed(pair.ratio, decimals: 2, keepZeros: true),
                detail: "\(text(pair.dense)) → \(text(pair.pruned))",
                tone: pair.ratio < 0.995 ? .good : pair.ratio > 1.005 ? .bad : .neutral)
        }
        return [
            ratio("Multiply–accumulates", efficiency.macs, NumberText.compact),
            ratio("Parameters", efficiency.parameters, NumberText.compact),
            ratio("File size", efficiency.fileBytes, NumberText.bytes),
            HTMLReport.Card(
                title: "Accuracy", value: percent(result.pruned.accuracy.mean),
                detail: "dense \(percent(result.dense.accuracy.mean))"),
            HTMLReport.Card(
                title: "Agreement", value: percent(result.agreement.mean), detail: "of images taken for the same"),
        ]
    }

    private func accuracy() throws -> HTMLReport.Section {
        var table = ReportTable(
            columns: [.name(""), .number("dense"), .number("pruned"), .number("pruned less dense")],
            caption: "On \(result.source); 95 % confidence intervals of means over images in brackets.")
        func text(_ statistics: SampleStatistics, _ number: (Double) -> String) -> String {
            guard let interval = statistics.confidenceInterval95 else { return number(statistics.mean) }
            return "\(number(statistics.mean)) (\(number(interval.lowerBound)) – \(number(interval.upperBound)))"
        }
        try table.append([
            "accuracy", text(result.dense.accuracy, percent), text(result.pruned.accuracy, percent),
            text(result.difference, percent),
        ])
        func plain(_ value: Double) -> String { NumberText.short(value, digits: 3) }
        try table.append(["cross-entropy", text(result.dense.loss, plain), text(result.pruned.loss, plain), ""])
        try table.append(["agreement", "", text(result.agreement, percent), ""])
        var classes = ReportTable(
            columns: [.name("Class"), .number("images"), .number("dense"), .number("pruned")],
            caption: "The fraction of a class's images that are classified correctly.")
        let rows = zip(
            ClassifierEvaluationResult.accuracies(result.dense), ClassifierEvaluationResult.accuracies(result.pruned))
        for (label, row) in rows.enumerated() {
            try classes.append([
                result.classNames[label], "\(result.dense.confusion[label].reduce(0, +))",
                row.0.map(percent) ?? "—", row.1.map(percent) ?? "—",
            ])
        }
        return HTMLReport.Section(
            "Accuracy",
            [.table(table), .details("By class", [.table(classes)])]
                + result.warnings.map { .note($0, kind: .warning) })
    }

    private func confusion() -> HTMLReport.Section {
        guard result.classNames.count <= Self.shownClasses else {
            return HTMLReport.Section(
                "Confusion",
                [.paragraph("metrics.json holds what each of the \(result.classNames.count) classes is taken for.")])
        }
        func plot(_ name: String, _ side: ClassifierEvaluationResult.Side) -> ReportBlock {
            let shares = side.confusion.map { row -> [Double?] in
                let total = row.reduce(0, +)
                return row.map { total > 0 ? Double($0) / Double(total) : nil }
            }
            return .plot(
                HeatMap(
                    title: "What the \(name) model takes images for", rows: result.classNames,
                    columns: result.classNames, values: shares, rowTitle: "class", columnTitle: "taken for",
                    valueAxis: Axis("share of the class's images", range: 0...1)),
                caption: "A row a class; what lies off the diagonal is mistaken.")
        }
        return HTMLReport.Section("Confusion", [plot("dense", result.dense), plot("pruned", result.pruned)])
    }

    private var provenance: [(name: String, value: String)] {
        var entries = [("Dense model", "`\(densePath)`"), ("Pruned model", "`\(prunedPath)`"), ("Data", result.source)]
        entries += result.pruning.map(ReportText.pruning) ?? []
        return entries + [ReportText.machine(result.efficiency), ReportText.maker(result.madeBy)]
    }
}

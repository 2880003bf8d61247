import Evaluation
import Files
import Foundation
import ModelFolders
import Reports
import Statistics

/// `report.html` of a comparison of two models.
struct EvaluationReport {
    let result: EvaluationResult
    let dense: Pipeline
    let pruned: Pipeline
    /// PNG files: triples of pictures in one or two parts.
    let grids: [Data]
    let denseSheet: Data
    let prunedSheet: Data
    let history: RunHistory?
    /// How to make the report again; may be empty.
    let instructions: String
    let settings: EvaluationSettings
    let densePath: String
    let prunedPath: String

    func page() throws -> HTMLReport {
        var page = HTMLReport(title: title, summary: summary)
        page.cards = cards
        let widths = WidthSection(dense: dense.model, pruned: pruned.model)
        page.sections = [
            try pictures(), predictions(), try EfficiencySection(result.efficiency).section(), try quality(),
            try widths.section(),
        ]
        if !result.byClass.isEmpty { page.sections.insert(try ClassSection(result.byClass).section(), at: 1) }
        if let history { page.sections.append(section(of: history, widths)) }
        page.sections.append(reproduction())
        page.provenance = provenance
        return page
    }

    private func section(of history: RunHistory, _ widths: WidthSection) -> HTMLReport.Section {
        HistorySection(history, groups: widths.groups, quantity: pruned.pruning?.quantityName).section()
    }

    /// Tells browser tabs of several comparisons apart.
    private var title: String {
        let what = "dense and pruned, from the same noise"
        guard let record = pruned.pruning else { return "D" + what.dropFirst() }
        return "\(record.method), \(record.request), seed \(record.seed): \(what)"
    }

    private var summary: String {
        let efficiency = result.efficiency
        let lead =
            pruned.pruning.map { record in
                "Pruned \(Self.earlier(record))by `\(record.method)` to `\(record.request)`"
                    + (record.granularity.map { " (`\($0)`, seed \(record.seed))" } ?? "") + ", the model"
            } ?? "The pruned model"
        var text =
            "\(lead) keeps \(NumberText.percent(efficiency.macs.ratio)) of the multiply–accumulates and "
            + "\(NumberText.percent(efficiency.parameters.ratio)) of the parameters, and takes "
            + "\(NumberText.percent(efficiency.batchTiming.ratio.median)) of the time of a sampling step."
        if let ssim = result.consistency.ssim {
            text +=
                " Over \(ReportText.count(result.count, "picture")) drawn from the same noise, its pictures and the "
                + "dense model's have a mean SSIM of \(NumberText.fixed(ssim.mean, decimals: 3))."
        }
        return text
    }

    /// Prunings before the last, each of what the one before had left: what was asked of the last alone does not add up
    /// to what is left of the dense model.
    private static func earlier(_ record: PruningRecord) -> String {
        (record.history ?? []).map { "by `\($0.method)` to `\($0.asked.text)`, then that " }
            .joined()
    }

    private var cards: [HTMLReport.Card] {
        let efficiency = result.efficiency
        func ratio(_ title: String, _ value: Double, _ detail: String) -> HTMLReport.Card {
            HTMLReport.Card(
                title: title, value: "× " + NumberText.fixed(value, decimals: 2, keepZeros: true), detail: detail,
                tone: value < 0.995 ? .good : value > 1.005 ? .bad : .neutral)
        }
        func counts(_ pair: EvaluationResult.Pair, _ text: (Double) -> String) -> String {
            "\(text(pair.dense)) → \(text(pair.pruned))"
        }
        let timing = efficiency.batchTiming
        return [
            ratio("Multiply–accumulates", efficiency.macs.ratio, counts(efficiency.macs, NumberText.compact)),
            ratio("Parameters", efficiency.parameters.ratio, counts(efficiency.parameters, NumberText.compact)),
            ratio(
                "Time of a step", timing.ratio.median,
                "\(NumberText.short(timing.first.median, digits: 3)) → "
                    + "\(NumberText.short(timing.second.median, digits: 3)) ms"
            ),
            ratio("File size", efficiency.fileBytes.ratio, counts(efficiency.fileBytes, NumberText.bytes)),
            HTMLReport.Card(
                title: "SSIM, dense to pruned",
                value: result.consistency.ssim.map { NumberText.fixed($0.mean, decimals: 3, keepZeros: true) } ?? "—",
                detail: result.consistency.ssim.map { ReportText.interval($0, decimals: 3) } ?? "images too small"),
            HTMLReport.Card(
                title: "PSNR, dense to pruned",
                value: NumberText.fixed(result.consistency.psnr.mean, decimals: 1, keepZeros: true) + " dB",
                detail: ReportText.interval(result.consistency.psnr, decimals: 1)),
        ]
    }

    private func pictures() throws -> HTMLReport.Section {
        let steps = "\(result.samplerName), \(result.steps) steps\(eta)"
        var blocks: [ReportBlock] = [
            .paragraph(
                "Both models start from the same noise (seed \(result.seed)) and take the same way back (\(steps)). "
                    + "The first pictures, not the best:"),
            .images(try ReportText.gridImages(grids)),
            .paragraph(
                "The difference is mid-grey where both are equal, lighter where the pruned model's picture is brighter."
            ),
            .table(try ReportText.consistencyTable(result.consistency, count: result.count)),
        ]
        blocks.append(
            .images([
                try ReportImage(png: denseSheet, caption: "More pictures of the dense model.", scale: 1),
                try ReportImage(png: prunedSheet, caption: "The pruned model's, in the same order.", scale: 1),
            ]))
        let others = result.warnings.filter { $0 != result.quality.warning }
        blocks += others.map { .note($0, kind: .warning) }
        return HTMLReport.Section("Pictures", blocks)
    }

    private func predictions() -> HTMLReport.Section {
        let entries = result.predictions.timesteps
        func points(_ value: KeyPath<NoisePredictionErrors.AtTimestep, SampleStatistics>) -> [LinePlot.Point] {
            entries.map {
                let statistics = $0[keyPath: value]
                return LinePlot.Point(x: Double($0.timestep), y: statistics.mean, band: statistics.confidenceInterval95)
            }
        }
        // Errors at early timesteps are far larger than at late ones; a logarithm cannot show the zero of equal models.
        let scale: Axis.Scale = entries.allSatisfy { $0.difference.mean > 0 } ? .logarithmic : .linear
        return HTMLReport.Section(
            "Predictions",
            [
                .paragraph(
                    "The models see the same noisy images: \(result.predictionImages) from \(result.predictionSource), "
                        + "with the same noise, at \(entries.count) timesteps. Timestep 0 is the cleanest."),
                .plot(
                    LinePlot(
                        title: "ε-error by timestep", xAxis: Axis("timestep"),
                        yAxis: Axis("mean (ε dense − ε pruned)²", scale: scale),
                        series: [.init("ε-error", points: points(\.difference))]),
                    caption:
                        "Mean squared difference of the two noise predictions, with its 95 % confidence interval over "
                        + "images."
                ),
                .plot(
                    LinePlot(
                        title: "Each model's own loss by timestep", xAxis: Axis("timestep"),
                        yAxis: Axis("loss", scale: .logarithmic),
                        series: [
                            .init("dense", points: points(\.denseLoss), isDashed: true),
                            .init("pruned", points: points(\.prunedLoss)),
                        ]), caption: "Mean squared error against what the model is to predict."),
            ])
    }

    private func quality() throws -> HTMLReport.Section {
        switch result.quality {
        case .unavailable(let reason, let remedy):
            let text = "No Fréchet distance: \(reason)." + (remedy.map { " The way out: \($0)." } ?? "")
            return HTMLReport.Section("Quality", [.note(text, kind: .information)])
        case .measured(let distances):
            var table = ReportTable(
                columns: [.name("Fréchet distance of"), .number("distance")],
                caption:
                    "\(distances.dimension) features of the net `\(distances.featureNet)`; "
                    + "\(ReportText.count(distances.count, "picture")) of each model, "
                    + "\(distances.referenceCount) reference images. Distances depend on both counts and on the net: "
                    + "this is not FID.")
            var rows = [("dense model to reference", distances.dense), ("pruned model to reference", distances.pruned)]
            if let real = distances.realImages {
                rows.append(("\(distances.count) other real images to reference", real))
            }
            rows.append(("pruned to dense model", distances.denseToPruned))
            for (name, value) in rows { try table.append([name, NumberText.short(value, digits: 3)]) }
            var blocks: [ReportBlock] = [.paragraph("Reference: `\(distances.reference)`."), .table(table)]
            if let warning = distances.warning { blocks.append(.note(warning, kind: .warning)) }
            return HTMLReport.Section("Quality", blocks)
        }
    }

    private func reproduction() -> HTMLReport.Section {
        var blocks: [ReportBlock] = []
        if !instructions.isEmpty {
            blocks.append(.preformatted(instructions, caption: "This report was made by"))
        }
        var configurations: [(kind: RunHistory.Kind, text: String)] = []
        if let history { configurations.append((history.kind, history.configuration)) }
        if history?.kind != .prune, let text = pruned.pruning?.configuration { configurations.append((.prune, text)) }
        for (kind, text) in configurations {
            blocks.append(
                .details(
                    "Configuration of the \(kind.name) run",
                    [.preformatted(text, caption: "config.yaml, fully resolved")]))
        }
        if blocks.isEmpty { blocks.append(.paragraph("See below for the settings.")) }
        return HTMLReport.Section("Making it again", blocks)
    }

    private var eta: String { result.eta == 0 ? "" : ", η \(NumberText.short(result.eta))" }

    private var provenance: [(name: String, value: String)] {
        var entries = [
            ("Dense model", "`\(densePath)`"), ("Pruned model", "`\(prunedPath)`"),
            (
                "Pictures",
                "\(result.count), seed \(result.seed), \(result.samplerName) with \(result.steps) steps\(eta)"
            ),
        ]
        switch result.classes {
        case .all(let count)?: entries.append(("Classes", "all \(count): picture i has class i mod \(count)"))
        case .one(let label)?: entries.append(("Class", "\(NumberText.short(Double(label)))"))
        case nil: break
        }
        entries += pruned.pruning.map(ReportText.pruning) ?? []
        if !settings.data.path.isEmpty {
            entries.append(("Data", "`\(settings.data.path)` (\(settings.data.split.rawValue))"))
        }
        return entries + [ReportText.machine(result.efficiency), ReportText.maker(result.madeBy)]
    }
}

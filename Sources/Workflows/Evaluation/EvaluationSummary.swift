import Reports

extension EvaluationResult {
    /// The headline numbers for the terminal, a line each.
    public var summary: String {
        efficiency.summary(of: "step", macs: "an image and step")
            + consistency.summary + classLine + qualityLine
    }

    /// The two classes that came out worst and best.
    private var classLine: String {
        let ranked = byClass.compactMap { entry in entry.consistency.ssim.map { (entry, $0.mean) } }
            .sorted { $0.1 < $1.1 }
        guard ranked.count > 1, let worst = ranked.first, let best = ranked.last else { return "" }
        func text(_ entry: (ClassResult, Double)) -> String {
            "\(SummaryLine.fixed(entry.1, 3)) (class \(entry.0.label)"
                + (entry.0.name.map { ", \($0))" } ?? ")")
        }
        return "\(SummaryLine.name("by class"))\(text(worst)) – \(text(best))   SSIM of the worst and of the best of "
            + "\(ranked.count)\n"
    }

    private var qualityLine: String {
        guard case .measured(let distances) = quality else { return unavailableLines }
        let (dense, pruned) = (
            NumberText.short(distances.dense, digits: 3), NumberText.short(distances.pruned, digits: 3)
        )
        return
            "\(SummaryLine.name("Fréchet"))\(dense) → \(pruned)   dense → pruned to "
            + "\(distances.referenceCount) real images, in \(distances.featureNet)\n"
    }
}

extension EvaluationResult {
    /// Why there is no distance, and the way out, folded under its column.
    private var unavailableLines: String {
        guard case .unavailable(let reason, let remedy) = quality else { return "" }
        let column = SummaryLine.name("").count
        let lines =
            TextWrap.lines(of: "none: " + reason, width: 100 - column)
            + (remedy.map { TextWrap.lines(of: $0, width: 100 - column) } ?? [])
        return lines.enumerated().map {
            ($0 == 0 ? SummaryLine.name("Fréchet") : String(repeating: " ", count: column)) + $1 + "\n"
        }.joined()
    }
}

extension EvaluationResult.Efficiency {
    /// The headline numbers for the terminal, a line each.
    ///
    /// - Parameters:
    ///   - step: what was timed.
    ///   - unit: what multiply–accumulates are counted for.
    func summary(of step: String, macs unit: String) -> String {
        func line(_ name: String, _ ratio: Double, _ detail: String) -> String {
            "\(SummaryLine.name(name))× \(SummaryLine.fixed(ratio, 3))   \(detail)\n"
        }
        func change(_ pair: EvaluationResult.Pair, _ text: (Double) -> String) -> String {
            "\(text(pair.dense)) → \(text(pair.pruned))"
        }
        let timing = batchTiming
        let (low, high) = (
            SummaryLine.fixed(timing.ratio.lowerQuartile, 3), SummaryLine.fixed(timing.ratio.upperQuartile, 3)
        )
        let milliseconds =
            "\(NumberText.short(timing.first.median, digits: 3)) → "
            + "\(NumberText.short(timing.second.median, digits: 3)) ms"
        return "What is left of the dense model\n"
            + line("MACs", macs.ratio, change(macs, NumberText.compact) + " \(unit)")
            + line("parameters", parameters.ratio, change(parameters, NumberText.compact))
            + line(
                "time", timing.ratio.median,
                "\(milliseconds) a \(step) of \(batch) images (quartiles × \(low) – \(high))")
            + line("memory", peakBytes.ratio, change(peakBytes, NumberText.bytes))
            + line("file", fileBytes.ratio, change(fileBytes, NumberText.bytes))
    }
}

extension ConsistencySummary {
    /// The headline numbers for the terminal, a line each.
    public var summary: String {
        var text = "Similarity to the dense model (\(ReportText.count(psnr.count, "pair")))\n"
        if let ssim {
            text +=
                "\(SummaryLine.name("SSIM"))\(SummaryLine.fixed(ssim.mean, 3))     "
                + ReportText.interval(ssim, decimals: 3)
                + (ssim.count < psnr.count ? ", over \(ReportText.count(ssim.count, "pair"))\n" : "\n")
        }
        return text
            + "\(SummaryLine.name("PSNR"))\(SummaryLine.fixed(psnr.mean, 1)) dB   "
            + "\(ReportText.interval(psnr, decimals: 1))\n"
    }
}

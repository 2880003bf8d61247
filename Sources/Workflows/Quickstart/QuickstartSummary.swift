import Evaluation
import Reports

extension QuickstartOutcome {
    /// The headline numbers and where the rest lies, for the terminal.
    public var summary: String {
        let efficiency = evaluation.efficiency
        func fixed(_ value: Double, _ decimals: Int) -> String {
            NumberText.fixed(value, decimals: decimals, keepZeros: true)
        }
        func line(_ name: String, _ ratio: Double, _ detail: String) -> String {
            let padded = name + String(repeating: " ", count: max(1, 14 - name.count))
            return "  \(padded)× \(fixed(ratio, 3))   \(detail)"
        }
        let timing = efficiency.batchTiming
        var lines = [
            "Pruned by \(pruning.record.method): what is left of the dense model",
            line(
                "MACs", efficiency.macs.ratio,
                "\(NumberText.compact(efficiency.macs.dense)) → \(NumberText.compact(efficiency.macs.pruned)) an image and step"
            ),
            line(
                "parameters", efficiency.parameters.ratio,
                "\(NumberText.compact(efficiency.parameters.dense)) → \(NumberText.compact(efficiency.parameters.pruned))"
            ),
            line(
                "time", timing.ratio.median,
                "\(NumberText.short(timing.first.median, digits: 3)) → \(NumberText.short(timing.second.median, digits: 3)) ms"
                    + " a step of \(efficiency.batch) images (quartiles × \(fixed(timing.ratio.lowerQuartile, 3)) – "
                    + "\(fixed(timing.ratio.upperQuartile, 3)))"),
            line(
                "file", efficiency.fileBytes.ratio,
                "\(NumberText.bytes(efficiency.fileBytes.dense)) → \(NumberText.bytes(efficiency.fileBytes.pruned))"),
            "Its pictures beside the dense model's, \(evaluation.count) from the same noise",
        ]
        if let ssim = evaluation.consistency.ssim {
            lines.append("  SSIM          \(fixed(ssim.mean, 3))     \(ReportText.interval(ssim, decimals: 3))")
        }
        let psnr = evaluation.consistency.psnr
        lines.append("  PSNR          \(fixed(psnr.mean, 1)) dB   \(ReportText.interval(psnr, decimals: 1))")
        lines += [
            "Done in \(fixed(pruningSeconds + evaluationSeconds, 0)) s (\(fixed(pruningSeconds, 0)) pruning and fine-tuning, "
                + "\(fixed(evaluationSeconds, 0)) evaluating).",
            "  report   \(report.path)", "  grid     \(grid.path)",
            "  images   \(output.appendingPathComponent("images").path)", "  model    \(pruning.modelURL.path)",
        ]
        return lines.joined(separator: "\n")
    }
}

import Foundation

@testable import Reports

/// A report with one of everything, as the tests check it and as a designer wants to see it.
enum SampleReport {
    static func wave(_ index: Int) -> Double { sin(Double(index) * 12.9898) * 0.5 + 0.5 }

    static let loss: LinePlot = {
        let steps = Array(0..<2000)
        func curve(_ level: Double, _ seed: Int) -> [Double] {
            steps.map { 0.02 + level * exp(-Double($0) / 350) + 0.006 * wave($0 * 7 + seed) }
        }
        return LinePlot(
            title: "Training loss", xAxis: Axis("step"), yAxis: Axis("mean squared error", scale: .logarithmic),
            series: [
                .init(
                    "pruned, fine-tuned with the dense model as teacher", x: steps.map(Double.init), y: curve(0.4, 1)),
                .init("pruned, fine-tuned", x: steps.map(Double.init), y: curve(0.8, 5)),
                .init("dense", x: [0, 1999], y: [0.0205, 0.0205], isDashed: true),
            ])
    }()

    static let similarity = LinePlot(
        title: "Similarity to the dense model's pictures by sampling steps",
        xAxis: Axis("sampling steps"), yAxis: Axis("SSIM", unit: "mean of 64, 95 % band"),
        series: ["taylor", "gradient flow", "magnitude", "random"].enumerated().map { index, name in
            .init(
                name,
                points: (1...10).map { step in
                    let y = 0.97 - Double(index) * 0.07 - 0.3 / Double(step)
                    let isMissing = index == 2 && step == 5
                    let half = 0.012 + 0.004 * Double(index)
                    return .init(x: Double(step * 10), y: isMissing ? .nan : y, band: (y - half)...(y + half))
                })
        })

    static let layers = (0..<4).flatMap { level in
        (0..<2).map { "down_blocks.\(level).resnets.\($0).conv1" }
    }

    private static let widthsBefore = layers.indices.map { Double(128 * (1 + $0 / 3)) }

    static let widths = BarChart(
        title: "Channels kept", categories: layers,
        series: [
            .init("before", values: widthsBefore),
            .init("after", values: layers.indices.map { (widthsBefore[$0] * (0.3 + 0.6 * wave($0))).rounded() }),
        ], axis: Axis("channels"), arrangement: .nested)

    static let times = BarChart(
        title: "Time for one picture", categories: ["1 thread", "2 threads", "4 threads"],
        series: [.init("dense", values: [361, 184, nil]), .init("pruned", values: [190, 96.4, 61])],
        axis: Axis("milliseconds, median of 20 interleaved runs", unit: "ms"))

    static let sensitivity = HeatMap(
        title: "Loss when one group alone is pruned", rows: layers, columns: ["10 %", "25 %", "50 %", "75 %", "90 %"],
        values: layers.indices.map { row in
            (0..<5).map { column in
                row == 3 && column == 4 ? nil : 0.02 * pow(10, Double(column) * 0.35 * (0.4 + wave(row * 3)))
            }
        }, columnTitle: "channels removed", valueAxis: Axis("loss", scale: .logarithmic))

    static func change(of columns: Int) -> HeatMap {
        HeatMap(
            title: "Change of the predicted noise by timestep", rows: ["taylor", "magnitude", "random"],
            columns: (0..<columns).map { "\($0 * 40)" },
            values: (0..<3).map { row in (0..<columns).map { (wave(row * 31 + $0) - 0.4) * Double(row + 1) } },
            columnTitle: "timestep", valueAxis: Axis("change", unit: "%"))
    }

    /// A grid of 32×32 pictures, eight a row.
    static let grid = tinyPNG(width: 8 * 34 + 2, height: 3 * 34 + 2) { x, y in
        let (column, row) = (x / 34, y / 34)
        let (u, v) = (Double(x % 34) - 18, Double(y % 34) - 18)
        guard x % 34 > 1, y % 34 > 1 else { return (255, 255, 255) }
        let shade = exp(-(u * u + v * v) / (60 + 25 * Double(column))) * (row == 2 ? 0.25 : 1)
        let level = UInt8(shade * 235 + 10)
        return (level, UInt8(Double(level) * (0.4 + 0.07 * Double(column))), UInt8(255 - Int(level)))
    }

    static func report() throws -> HTMLReport {
        var report = HTMLReport(
            title: "Half the work, nearly the same pictures",
            summary: "`taylor` pruning took 50.2 % of the multiply–accumulates out of the bundled model. From the same"
                + " noise it draws pictures with a mean SSIM of 0.912 to the dense model's, 1.9 times as fast.")
        report.cards = [
            .init(
                title: "Similarity (SSIM)", value: "0.912", detail: "95 % interval 0.900 – 0.924, 64 pairs", tone: .good
            ),
            .init(title: "Speed", value: "1.90 ×", detail: "182 → 96 ms per picture", tone: .good),
            .init(title: "Work (MACs)", value: "49.8 %", detail: "6.06 G → 3.02 G per step"),
            .init(title: "Parameters", value: "17.2 M", detail: "of 35.7 M, 48.1 %"),
            .init(title: "Fréchet distance", value: "14.7", detail: "dense 12.1, lower is better", tone: .bad),
        ]
        var table = ReportTable(
            columns: [
                .name("method"), .number("SSIM"), .number("± 95 %"), .number("PSNR [dB]"), .number("MACs"),
                .number("time [ms]"), .number("speed-up"),
            ], caption: "All methods under one budget, seed and protocol; the marked row is the one above.")
        try table.append(["dense", "1.000", "—", "∞", "6.06 G", "182.0", "1.00 ×"])
        try table.append(["taylor", "0.912", "0.012", "28.4", "3.02 G", "96.0", "1.90 ×"], isEmphasized: true)
        try table.append(["gradient-flow", "0.871", "0.011", "25.9", "3.01 G", "94.2", "1.93 ×"])
        try table.append(["magnitude", "0.843", "0.023", "24.0", "3.03 G", "95.1", "1.91 ×"])
        report.sections = [
            .init(
                "Pictures",
                [
                    .paragraph(
                        "Each column starts from the same noise: the dense model's picture, the pruned model's, and"
                            + " the difference, four times enlarged."),
                    .images([
                        try ReportImage(png: grid, caption: "Dense, pruned and difference for seeds 0 … 7.")
                    ]),
                    .images([
                        try ReportImage(png: grid, caption: "Early in the run, step 500.", scale: 1),
                        try ReportImage(png: grid, caption: "At the end, step 2,000.", scale: 1),
                    ]),
                    .plot(similarity, caption: "The value for `magnitude` at 50 steps is missing on purpose."),
                ]),
            .init(
                "Comparison",
                [
                    .table(table),
                    .note(
                        "The pictures of the unstructured result are computed by dense kernels: it is smaller, not"
                            + " faster.", kind: .warning),
                ]),
            .init(
                "Where the channels went",
                [
                    .plot(widths, caption: "Width of each prunable group."),
                    .plot(times, caption: "Four threads were not measured for the dense model."),
                    .heading("Sensitivity"),
                    .plot(sensitivity, caption: "Each group pruned alone, without fine-tuning."),
                    .plot(change(of: 25), caption: "Negative is better than the dense model."),
                ]),
            .init(
                "Training",
                [
                    .plot(loss, caption: "Logarithmic scale."),
                    .plot(
                        LinePlot(title: "Nothing yet", xAxis: Axis("step"), yAxis: Axis("loss"), series: []),
                        caption: ""),
                    .list(["Adam, learning rate 2e-4", "EMA 0.9999", "batch of 64"]),
                    .note("Every check of the run passed.", kind: .success),
                    .details(
                        "Full configuration",
                        [
                            .preformatted(
                                "method: taylor\ntarget:\n  macs: 0.5\nseed: 0 # <the default>\n",
                                caption: "config.yaml")
                        ]),
                    .preformatted(
                        "diffprune prune --model Samples/model --output runs/taylor --method taylor --target macs=0.5 "
                            + "--seed 0 --threads 2",
                        caption: "The command"),
                ]),
        ]
        report.provenance = [
            ("Program", "diffprune 0.1.0"), ("Command", "`diffprune quickstart --output quickstart`"),
            ("Machine", "2 cores, AVX-512"), ("Seed", "0"),
        ]
        return report
    }
}

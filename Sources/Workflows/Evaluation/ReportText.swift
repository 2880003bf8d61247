import Files
import Foundation
import ModelFolders
import Reports
import Statistics

/// Numbers of comparisons as text and tables.
enum ReportText {
    /// "95 % CI 0.81–0.84".
    static func interval(_ statistics: SampleStatistics, decimals: Int) -> String {
        guard let interval = statistics.confidenceInterval95 else { return "one image: no interval" }
        func text(_ value: Double) -> String { NumberText.fixed(value, decimals: decimals, keepZeros: true) }
        return "95 % CI \(text(interval.lowerBound)) – \(text(interval.upperBound))"
    }

    /// "1 thread", "16 threads".
    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    /// Version and date, for the end of a page.
    static func maker(_ provenance: Provenance) -> (name: String, value: String) {
        ("Made by", "\(provenance.title), \(provenance.date)")
    }

    /// What the times were measured on.
    static func machine(_ efficiency: EvaluationResult.Efficiency) -> (name: String, value: String) {
        (
            "Machine",
            "\(efficiency.processor), \(count(efficiency.threads, "thread")), \(efficiency.instructionSet)"
        )
    }

    /// How a model was pruned, and how before that.
    static func pruning(_ record: PruningRecord) -> [(name: String, value: String)] {
        let given = record.history == nil ? "" : " of a model that was pruned before"
        var entries = [("Method", "`\(record.method)`, asked for \(record.request)\(given), seed \(record.seed)")]
        if let achieved = record.achievedRequest { entries.append(("Achieved", achieved)) }
        return entries
            + (record.history ?? []).reversed().map {
                ("Before", "`\($0.method)`, asked for \($0.asked.text), seed \($0.seed)")
            }
    }

    static func consistencyTable(_ summary: ConsistencySummary, count: Int) throws(ReportError) -> ReportTable {
        var caption =
            "Over \(Self.count(count, "pair")) of 8-bit pictures; "
            + "95 % confidence interval of the mean over images."
        if let ssim = summary.ssim, ssim.count < count { caption += " SSIM over \(ssim.count) of them." }
        if summary.identicalPairs > 0 {
            caption +=
                summary.identicalPairs == 1
                ? " 1 pair is identical and counts as 100 dB."
                : " \(summary.identicalPairs) pairs are identical and count as 100 dB."
        }
        var table = ReportTable(
            columns: [
                .name("Dense to pruned"), .number("mean"), .number("95 % CI"), .number("std"), .number("min"),
                .number("median"), .number("max"),
            ], caption: caption)
        let rows: [(String, SampleStatistics?)] = [
            ("SSIM", summary.ssim), ("PSNR (dB)", summary.psnr), ("MSE", summary.meanSquaredError),
        ]
        for case (let name, let statistics?) in rows {
            func text(_ value: Double) -> String { NumberText.short(value, digits: 3) }
            let interval =
                statistics.confidenceInterval95.map { "\(text($0.lowerBound)) – \(text($0.upperBound))" } ?? "—"
            try table.append([
                name, text(statistics.mean), interval, statistics.standardDeviation.map(text) ?? "—",
                text(statistics.minimum), text(statistics.median), text(statistics.maximum),
            ])
        }
        return table
    }

    /// Triples of pictures, for the report.
    static func gridImages(_ grids: [Data]) throws(ReportError) -> [ReportImage] {
        var images: [ReportImage] = []
        for grid in grids {
            images.append(
                try ReportImage(
                    png: grid, caption: "",
                    description: "Rows of three pictures: dense, pruned, difference; SSIM and PSNR below", scale: 1))
        }
        return images
    }
}

import Files
import Foundation
import Reports

/// `report.html` of a comparison of two folders of pictures.
struct FolderReport {
    let summary: ConsistencySummary
    let grids: [Data]
    let dense: String
    let pruned: String
    let warnings: [String]
    let madeBy: Provenance

    func page() throws -> HTMLReport {
        let count = summary.psnr.count
        let mean = summary.ssim.map { "; mean SSIM \(NumberText.fixed($0.mean, decimals: 3))" } ?? ""
        var page = HTMLReport(
            title: "Two folders of pictures, pair by pair",
            summary: "\(ReportText.count(count, "pair")) of equal names\(mean).")
        page.cards = [
            .init(
                title: "SSIM",
                value: summary.ssim.map { NumberText.fixed($0.mean, decimals: 3, keepZeros: true) } ?? "—",
                detail: summary.ssim.map { ReportText.interval($0, decimals: 3) } ?? "images too small"),
            .init(
                title: "PSNR", value: NumberText.fixed(summary.psnr.mean, decimals: 1, keepZeros: true) + " dB",
                detail: ReportText.interval(summary.psnr, decimals: 1)),
        ]
        page.sections = [
            .init(
                "Pictures",
                [
                    .images(try ReportText.gridImages(grids)),
                    .paragraph(
                        "The difference is mid-grey where both are equal, lighter where the second folder's picture is "
                            + "brighter."),
                    .table(try ReportText.consistencyTable(summary, count: count)),
                ] + warnings.map { .note($0, kind: .warning) })
        ]
        if let command = madeBy.command {
            page.sections.append(
                .init("Making it again", [.preformatted(command, caption: "This report was made by")]))
        }
        page.provenance = [("Dense", "`\(dense)`"), ("Pruned", "`\(pruned)`"), ReportText.maker(madeBy)]
        return page
    }
}

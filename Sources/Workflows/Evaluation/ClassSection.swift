import Reports
import Statistics

/// The classes of a class-conditional model, one by one.
struct ClassSection {
    /// More rows than these are folded away.
    private static let shownRows = 24

    private let classes: [ClassResult]

    init(_ classes: [ClassResult]) { self.classes = classes }

    func section() throws -> HTMLReport.Section {
        var table = ReportTable(
            columns: [
                .name("Class"), .number("pictures"), .number("SSIM"), .number("PSNR (dB)"), .number("MSE"),
                .number("ε-error"),
            ],
            caption: "Means over the pictures of a class, dense to pruned. The ε-error is the mean over timesteps of "
                + "the squared difference of both predictions, on the images of the class that predictions were "
                + "compared on; — where none of them has the class.")
        func text(_ statistics: SampleStatistics?) -> String {
            statistics.map { NumberText.short($0.mean, digits: 3) } ?? "—"
        }
        for entry in classes {
            let name = entry.name.map { "\(entry.label) (\($0))" } ?? "\(entry.label)"
            try table.append([
                name, "\(entry.consistency.psnr.count)", text(entry.consistency.ssim), text(entry.consistency.psnr),
                text(entry.consistency.meanSquaredError), text(entry.predictions),
            ])
        }
        let blocks: [ReportBlock] =
            classes.count <= Self.shownRows
            ? [.table(table)] : [.details("All \(classes.count) classes", [.table(table)])]
        return HTMLReport.Section("Classes", blocks)
    }
}

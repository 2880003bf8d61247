import Layers
import Reports

/// Channels of every group before and after.
struct WidthSection {
    private let rows: [(name: String, before: Int, after: Int)]

    /// Groups are those of the pruned model; what is not known to have been pruned is compared with the dense model's
    /// group of the same name.
    init(dense: some ChannelNetwork, pruned: some ChannelNetwork) {
        let widths = Dictionary(
            dense.channelGroups.map { ($0.name, $0.width) }, uniquingKeysWith: { first, _ in first })
        rows = pruned.channelGroups.filter(\.isPrunable).map {
            ($0.name, widths[$0.name] ?? $0.originalWidth, $0.width)
        }
    }

    /// The groups before pruning.
    var groups: [HistorySection.Group] { rows.map { .init(name: $0.name, width: $0.before) } }

    func section() throws -> HTMLReport.Section {
        var table = ReportTable(
            columns: [.name("Group"), .number("dense"), .number("pruned"), .number("left")])
        for row in rows {
            let share = row.before > 0 ? Double(row.after) / Double(row.before) : 0
            try table.append([row.name, "\(row.before)", "\(row.after)", NumberText.percent(share)])
        }
        let total = rows.reduce((0, 0)) { ($0.0 + $1.before, $0.1 + $1.after) }
        let chart = BarChart(
            title: "Widths before and after", categories: rows.map(\.name),
            series: [
                .init("dense", values: rows.map { Double($0.before) }),
                .init("pruned", values: rows.map { Double($0.after) }),
            ], axis: Axis("channels"), arrangement: .nested)
        return HTMLReport.Section(
            "Widths",
            [
                .paragraph(
                    "A group is an axis whose channels leave together, wherever they go. Of \(total.0) channels in "
                        + "\(rows.count) groups, \(total.1) are left."),
                .plot(chart, caption: "Channels of each group: pale before, full after."),
                .details("The same as a table", [.table(table)]),
            ])
    }
}

import Foundation
import Reports

extension StudyOutcome {
    /// The results for the terminal: a table a target, and where everything is.
    public var summary: String {
        get throws {
            let summary = try StudySummary(self)
            let plan = configuration.study
            var text = ""
            for target in plan.targets {
                let rows = summary.rows.filter { $0.target == target }
                guard !rows.isEmpty else { continue }
                var table = TextTable(
                    columns: [
                        .init(target)
                    ] + Evaluation.quantities.map { .init($0.title, .right) } + [
                        .init(Evaluation.readings[0].title, .right), .init("MACs", .right), .init("params", .right),
                        .init("time", .right), .init("spent", .right), .init("over \(plan.methods[0])", .right),
                    ])
                for row in rows {
                    func fixed(_ value: Double?, _ decimals: Int) -> String {
                        value.map { NumberText.fixed($0, decimals: decimals, keepZeros: true) } ?? "—"
                    }
                    let first = Evaluation.quantities[0]
                    let difference = summary.difference(row.name, over: plan.methods[0], at: target)?.quantities[0]
                    let verdict = difference.map { found in
                        !found.isSignificant
                            ? "tie"
                            : (found.mean > 0 ? "+" : "") + fixed(first.scale * found.mean, first.differenceDecimals)
                    }
                    let quantities = zip(Evaluation.quantities, row.quantities).map { quantity, statistics in
                        fixed(statistics.map { quantity.scale * $0.mean }, quantity.decimals)
                    }
                    try table.append(
                        [row.name] + quantities + [
                            fixed(row.reading?.mean, 3), "× " + fixed(row.macs.mean, 3),
                            "× " + fixed(row.parameters.mean, 3),
                            "× " + fixed(row.time.mean, 3), "\(fixed(row.seconds.mean, 0)) s", verdict ?? "",
                        ])
                }
                text += table.text + "\n"
            }
            for (cell, reason) in failures { text += "failed: \(cell.title): \(reason)\n" }
            let left = runs.count { if case .open = $0.state { true } else { false } }
            if underWay > 0 { text += "\(underWay) of \(runs.count) runs are under way in other processes\n" }
            if left > 0 { text += "\(left) of \(runs.count) runs are not done: --resume goes on with them\n" }
            return text + "report: \(folder.appendingPathComponent(Self.reportName).path)\n"
        }
    }
}

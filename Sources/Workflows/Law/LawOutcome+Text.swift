import Foundation
import PruningMethods
import Reports

extension LawOutcome {
    /// The result for the terminal.
    public var summary: String {
        get throws {
            var table = TextTable(columns: [
                .init("pressure", .right), .init("left", .right), .init("pure", .right), .init("quadratic", .right),
                .init("drift", .right), .init("", .left),
            ])
            for row in rows { try table.append(row) }
            return table.text + "\n" + (laws + [verdict]).joined(separator: "\n")
                + "\nreport: \(folder.appendingPathComponent(Self.reportName).path)\n"
        }
    }

    /// A row a run: pressure, what was left, what each law says, drift, and why it was not fitted.
    var rows: [[String]] {
        runs.map { run in
            let use = run.use(above: lowest)
            return [
                NumberText.short(run.pressure, digits: 3), NumberText.percent(run.remaining),
                pure.map { NumberText.percent($0.remaining(at: run.pressure)) } ?? "—",
                quadratic.map { NumberText.percent($0.remaining(at: run.pressure)) } ?? "—",
                NumberText.percent(run.drift), use == .fitted ? "" : "not fitted: \(use.rawValue)",
            ]
        }
    }

    /// A line a law.
    var laws: [String] {
        var lines: [String] = []
        func number(_ value: Double) -> String { NumberText.short(value, digits: 4) }
        if let pure {
            lines.append(
                "ln s = ln \(number(pure.scale)) − \(number(pure.exponent))·ln γ, R² "
                    + NumberText.fixed(pure.determination, decimals: 4))
        }
        if let quadratic {
            lines.append(
                "s = \(number(quadratic.scale))·exp(−(\(number(quadratic.exponent))·ln γ + "
                    + "\(number(quadratic.curvature))·ln² γ)), R² "
                    + NumberText.fixed(quadratic.determination, decimals: 4))
        }
        return lines.isEmpty ? ["no law: too few pressures take something away and leave something"] : lines
    }

    /// What the law predicts, and what came of it.
    var verdict: String {
        guard let prediction else { return "no pressure is predicted for \(NumberText.percent(wanted)) left" }
        let said =
            "predicted for \(NumberText.percent(wanted)) left: γ = \(NumberText.short(prediction.pressure, digits: 4)) "
            + "(\(prediction.law.form.rawValue))"
        guard let check else { return said }
        let error = 100 * (check.remaining - wanted)
        return said + "; a run at it leaves \(NumberText.fixed(100 * check.remaining, decimals: 2)) %, "
            + "\(error >= 0 ? "+" : "−")\(NumberText.fixed(abs(error), decimals: 2)) percentage points"
    }
}

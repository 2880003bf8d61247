import ModelFolders
import Reports
import Runs
import Workflows

extension Forecast {
    /// What `--dry-run` prints.
    func text() throws -> String {
        var lines: [String] = []
        if let pruning {
            let lowest = pruning.lowest.map { limit, remaining in
                guard limit.unit == nil else { return limit.text(atShare: remaining, digits: 3, rounding: .up) }
                let isRemoval = limit.quantity == .sparsity
                // Rounded to the side on which it can be reached.
                let value = (limit.value(atShare: remaining) * 1000).rounded(isRemoval ? .down : .up)
                return "\(limit.quantity.rawValue)=\(NumberText.short(value / 1000))"
            }
            lines.append(
                "target   \(pruning.target), within reach (the furthest is \(lowest.joined(separator: ",")))")
        }
        lines.append("time     " + (outlook?.description ?? "a moment: nothing is trained or scored"))
        lines.append("memory   about \(NumberText.bytes(memoryBytes))")
        if let pruning {
            if let removal = pruning.removal {
                lines.append("removes  as below")
                lines.append(try AchievedTable.text(removal).trimmingSuffix("\n"))
            } else {
                lines.append("removes  what the scores and the training of the run will say")
            }
        }
        return lines.joined(separator: "\n") + "\nNothing was written.\n"
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
    }
}

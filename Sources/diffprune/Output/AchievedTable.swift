import ModelFolders
import Reports

/// What pruning achieved: dense, pruned and what is left of it, a line a quantity.
enum AchievedTable {
    static func text(_ achieved: PruningRecord.Achieved) throws -> String {
        var table = TextTable(columns: [
            .init(""), .init("dense", .right), .init("pruned", .right), .init("left", .right),
        ])
        let weights = achieved.weights.map { [("weights", $0)] } ?? []
        for (name, change) in [
            ("MACs", achieved.macs), ("parameters", achieved.parameters), ("channels", achieved.channels),
        ] + weights {
            try table.append([
                name, NumberText.short(change.dense), NumberText.short(change.pruned),
                NumberText.percent(change.ratio),
            ])
        }
        return table.text
    }
}

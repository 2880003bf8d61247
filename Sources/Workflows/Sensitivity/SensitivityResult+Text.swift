import Reports

extension SensitivityResult {
    /// The tables for the terminal: what each group and block does at every ratio, and the ratio suggested.
    public var summary: String {
        get throws {
            let hasPictures = readings.contains { $0.ssim != nil }
            let ratios = plan.ratios
            func columns(_ name: String) -> [TextTable.Column] {
                [.init(name), .init("width", .right)] + ratios.map { .init("ε at \(NumberText.short($0))", .right) }
                    + (hasPictures ? [.init("SSIM at \(NumberText.short(ratios[ratios.count - 1]))", .right)] : [])
            }
            func cells(_ kind: SensitivityProbe.Kind, _ name: String, _ width: String) -> [String] {
                let own = ratios.map { reading(kind, name, $0) }
                let last = own.last.flatMap { $0?.ssim }.map { NumberText.fixed($0, decimals: 3, keepZeros: true) }
                return [name, width] + own.map { $0.map { NumberText.short($0.epsilon, digits: 3) } ?? "—" }
                    + (hasPictures ? [last ?? "—"] : [])
            }
            var table = TextTable(columns: columns("group") + [.init("suggested", .right)])
            for (group, share) in zip(groups, suggestion.shares) {
                try table.append(
                    cells(.group, group.name, "\(group.width)") + [NumberText.percent(share, decimals: 0)])
            }
            var text = table.text
            if !blocks.isEmpty {
                var table = TextTable(columns: columns("block"))
                for block in blocks {
                    let width = groups.reduce(0) { $0 + (SensitivityProbe.block(of: $1.name) == block ? $1.width : 0) }
                    try table.append(cells(.block, block, "\(width)"))
                }
                text += "\n" + table.text
            }
            return text + "\nε: mean square of what a prediction changes by, over \(timesteps.count) timesteps\n"
        }
    }
}

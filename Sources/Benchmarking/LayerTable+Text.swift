import Reports
import TensorCore

extension OperationKind {
    /// For the reader of a table.
    var title: String {
        switch self {
        case .convolution3x3: "conv 3×3"
        case .convolution1x1: "conv 1×1"
        case .linear, .attention, .resample, .copy, .elementwise, .embedding: rawValue
        case .groupNorm: "group norm"
        case .batchNorm: "batch norm"
        }
    }
}

extension LayerTable {
    /// Of a prediction every layer and the sums by kind; of a training step the sums by kind alone.
    func text() throws -> String {
        let heading = "of \(subject), batch \(batch), medians of \(passes.count) passes\n"
        guard work == .forward else { return "Training step " + heading + (try trainingTable()) }
        return "Layers " + heading + (try layerTable()) + "\n" + (try kindTable())
    }

    private func layerTable() throws -> String {
        var table = TextTable(columns: [.init("layer"), .init("kind"), .init("shape")] + Self.costColumns)
        for row in rows {
            let shapes = [row.inputShape, row.outputShape].map(BenchmarkResult.product)
            try table.append([row.name, row.kind.title, shapes.joined(separator: " → ")] + cells(row.cost))
        }
        try table.append(["between layers", "", ""] + cells(between))
        table.appendRule()
        try table.append(["total", "", ""] + cells(total))
        return table.text
    }

    private func kindTable() throws -> String {
        var table = TextTable(columns: [.init("by kind"), .init("layers", .right)] + Self.costColumns)
        for entry in kinds { try table.append([entry.kind.title, "\(entry.count)"] + cells(entry.cost)) }
        try table.append(["between layers", ""] + cells(between))
        return table.text
    }

    private func trainingTable() throws -> String {
        var table = TextTable(columns: [
            .init("by kind"), .init("layers", .right), .init("MACs", .right), .init("forward ms", .right),
            .init("backward ms", .right), .init("both ms", .right), .init("time", .right),
        ])
        func last(_ cost: Cost) -> [String] {
            [Self.milliseconds(cost.milliseconds + cost.backwardMilliseconds), NumberText.percent(cost.share)]
        }
        for entry in kinds {
            let cost = entry.cost
            try table.append(
                [
                    entry.kind.title, "\(entry.count)", cost.macs > 0 ? NumberText.compact(cost.macs) : "",
                    Self.milliseconds(cost.milliseconds), Self.milliseconds(cost.backwardMilliseconds),
                ] + last(cost))
        }
        try table.append(["loss, clipping, optimiser, between layers", "", "", "", ""] + last(between))
        table.appendRule()
        try table.append(["total", "\(rows.count)", NumberText.compact(total.macs), "", ""] + last(total))
        return table.text
    }

    private static let costColumns: [TextTable.Column] = [
        .init("MACs", .right), .init("ms", .right), .init("GFLOP/s", .right), .init("time", .right),
        .init("of peak", .right),
    ]

    private func cells(_ cost: Cost) -> [String] {
        let hasWork = cost.macs > 0
        return [
            hasWork ? NumberText.compact(cost.macs) : "", Self.milliseconds(cost.milliseconds),
            hasWork ? NumberText.fixed(cost.rate / 1e9, decimals: cost.rate < 1e10 ? 1 : 0) : "",
            NumberText.percent(cost.share), hasWork ? NumberText.percent(cost.peakFraction, decimals: 0) : "",
        ]
    }

    private static func milliseconds(_ value: Double) -> String {
        NumberText.fixed(value, decimals: 3, keepZeros: true)
    }
}

import Evaluation
import Reports
import TensorCore

extension BenchmarkResult {
    /// What `bench` prints for people.
    public func text() throws -> String {
        var text =
            "\(machine.processor), \(machine.threads) of \(machine.cores) cores, \(machine.instructionSet), "
            + "\(NumberText.short(peakRate / 1e9, digits: 3)) GFLOP/s at most"
            + (otherProcesses.map { "; other processes took \(NumberText.fixed($0, decimals: 2)) cores meanwhile" }
                ?? "")
            + "\n"
        for subject in subjects {
            text +=
                "\(subject.name): \(subject.source), \(NumberText.compact(Double(subject.parameters))) parameters, "
                + "\(NumberText.compact(subject.macs)) MACs an image of \(Self.product(subject.imageSize))\n"
        }
        if !measurements.isEmpty { text += "\n" + (try measurementTable()) }
        for table in layers { text += "\n" + (try table.text()) }
        return text
    }

    static func product(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: "×") }

    private func measurementTable() throws -> String {
        let isPair = subjects.count > 1
        var table = TextTable(
            columns: [
                .init("work"), .init("batch", .right), .init("model"), .init("median ms", .right),
                .init("quartiles", .right), .init("min – max", .right), .init("images/s", .right),
                .init("ps/MAC", .right), .init("memory", .right),
            ] + (isPair ? [.init("ratio", .right), .init("quartiles", .right)] : []))
        for measurement in measurements {
            for (index, side) in measurement.sides.enumerated() {
                let title =
                    measurement.work.title
                    + (measurement.predictions > 1 ? ", \(measurement.predictions) steps" : "")
                let time = side.milliseconds
                var cells = [
                    index == 0 ? title : "", index == 0 ? "\(measurement.batch)" : "", subjects[index].name,
                    Self.number(time.median), Self.range(time.lowerQuartile, time.upperQuartile),
                    Self.range(time.minimum, time.maximum), Self.number(side.imagesPerSecond),
                    Self.number(side.picosecondsPerMAC), NumberText.bytes(Double(side.peakBytes)),
                ]
                if isPair {
                    let ratio = index == 1 ? measurement.ratio : nil
                    cells += [
                        ratio.map { Self.number($0.median) } ?? "",
                        ratio.map { Self.range($0.lowerQuartile, $0.upperQuartile) } ?? "",
                    ]
                }
                try table.append(cells)
            }
        }
        return table.text
    }

    static func number(_ value: Double) -> String { NumberText.short(value, digits: 3) }
    static func range(_ low: Double, _ high: Double) -> String { "\(number(low)) – \(number(high))" }
}

extension OperationKind {
    /// For the reader of a table.
    var title: String {
        switch self {
        case .convolution3x3: "conv 3×3"
        case .convolution1x1: "conv 1×1"
        case .linear, .attention, .resample, .copy, .elementwise, .embedding: rawValue
        case .groupNorm: "group norm"
        }
    }
}

extension LayerTable {
    fileprivate func text() throws -> String {
        var table = TextTable(
            columns: [.init("layer"), .init("kind"), .init("shape")] + Self.costColumns)
        for row in rows {
            try table.append(
                [
                    row.name, row.kind.title,
                    "\(BenchmarkResult.product(row.inputShape)) → \(BenchmarkResult.product(row.outputShape))",
                ] + cells(row.cost))
        }
        try table.append(["between layers", "", ""] + cells(between))
        table.appendRule()
        try table.append(["total", "", ""] + cells(total))

        var summary = TextTable(columns: [.init("by kind"), .init("layers", .right)] + Self.costColumns)
        for entry in kinds { try summary.append([entry.kind.title, "\(entry.count)"] + cells(entry.cost)) }
        try summary.append(["between layers", ""] + cells(between))
        return "Layers of \(subject), batch \(batch), medians of \(passes.count) passes\n\(table.text)\n\(summary.text)"
    }

    private static let costColumns: [TextTable.Column] = [
        .init("MACs", .right), .init("ms", .right), .init("GFLOP/s", .right), .init("time", .right),
        .init("of peak", .right),
    ]

    private func cells(_ cost: Cost) -> [String] {
        let hasWork = cost.macs > 0
        return [
            hasWork ? NumberText.compact(cost.macs) : "",
            NumberText.fixed(cost.milliseconds, decimals: 3, keepZeros: true),
            hasWork ? NumberText.fixed(cost.rate / 1e9, decimals: cost.rate < 1e10 ? 1 : 0) : "",
            NumberText.percent(cost.share), hasWork ? NumberText.percent(cost.peakFraction, decimals: 0) : "",
        ]
    }
}

import Reports
import Statistics

/// What both models cost.
struct EfficiencySection {
    private let efficiency: EvaluationResult.Efficiency
    private let step: String

    /// - Parameters:
    ///   - efficiency: what was measured.
    ///   - step: what was timed, as "sampling step".
    init(_ efficiency: EvaluationResult.Efficiency, step: String = "sampling step") {
        (self.efficiency, self.step) = (efficiency, step)
    }

    func section() throws -> HTMLReport.Section {
        var table = ReportTable(
            columns: [.name(""), .number("dense"), .number("pruned"), .number("ratio")],
            caption:
                "MACs: multiply–accumulates of convolutions, linear layers and attention products for one image and "
                + "one step; memory of weights and buffers during a step of "
                + "\(ReportText.count(efficiency.batch, "image")).")
        func row(_ name: String, _ pair: EvaluationResult.Pair, _ text: (Double) -> String) throws {
            try table.append([
                name, text(pair.dense), text(pair.pruned), NumberText.fixed(pair.ratio, decimals: 3, keepZeros: true),
            ])
        }
        try row("parameters", efficiency.parameters) { NumberText.short($0) }
        try row("MACs", efficiency.macs, NumberText.compact)
        try row("weight file", efficiency.fileBytes, NumberText.bytes)
        try row("peak memory", efficiency.peakBytes, NumberText.bytes)

        var timings = ReportTable(
            columns: [
                .name("One \(step) of"), .number("dense, ms"), .number("pruned, ms"), .number("ratio"),
                .number("rounds"),
            ],
            caption: "Medians, quartiles in brackets; both models in turn in one run, ratios within rounds. "
                + "\(ReportText.count(efficiency.threads, "thread")) of \(efficiency.processor), "
                + "\(efficiency.instructionSet).")
        let entries = [(efficiency.batch, efficiency.batchTiming), (1, efficiency.singleTiming)]
        for (batch, timing) in entries {
            try timings.append([
                ReportText.count(batch, "image"), spread(timing.first), spread(timing.second),
                spread(timing.ratio), "\(timing.rounds)",
            ])
        }
        return HTMLReport.Section("Cost", [.table(table), .table(timings)])
    }

    private func spread(_ statistics: SampleStatistics) -> String {
        func text(_ value: Double) -> String { NumberText.short(value, digits: 3) }
        return "\(text(statistics.median)) (\(text(statistics.lowerQuartile)) – \(text(statistics.upperQuartile)))"
    }
}

import Files
import Reports
import Statistics

extension ClassifierEvaluationResult {
    /// The contents of `metrics.json`.
    public func json() throws -> JSONValue {
        [
            "schema": 1, "kind": "classification", "count": .int(count), "data": .string(source),
            "accuracy": try pair(dense.accuracy, pruned.accuracy, difference),
            "loss": ["dense": try JSONValue(encoding: dense.loss), "pruned": try JSONValue(encoding: pruned.loss)],
            "agreement": try JSONValue(encoding: agreement), "by_class": byClassJSON,
            "confusion": ["dense": table(dense.confusion), "pruned": table(pruned.confusion)],
            "efficiency": try efficiency.json(),
            "pruning": try pruning.map(EvaluationResult.json) ?? .null,
            "warnings": .array(warnings.map { .string($0) }), "made_by": try JSONValue(encoding: madeBy),
        ]
    }

    private func pair(
        _ dense: SampleStatistics, _ pruned: SampleStatistics, _ difference: SampleStatistics
    ) throws -> JSONValue {
        [
            "dense": try JSONValue(encoding: dense), "pruned": try JSONValue(encoding: pruned),
            "difference": try JSONValue(encoding: difference),
        ]
    }

    private var byClassJSON: JSONValue {
        let (before, after) = (Self.accuracies(dense), Self.accuracies(pruned))
        func number(_ value: Double?) -> JSONValue { value.map { .double($0) } ?? .null }
        return .array(
            classNames.indices.map { label in
                [
                    "class": .int(label), "name": .string(classNames[label]),
                    "count": .int(dense.confusion[label].reduce(0, +)), "dense": number(before[label]),
                    "pruned": number(after[label]),
                ]
            })
    }

    private func table(_ rows: [[Int]]) -> JSONValue {
        .array(rows.map { .array($0.map { .int($0) }) })
    }

    /// The headline numbers for the terminal, a line each.
    public var summary: String {
        func percent(_ value: Double) -> String { NumberText.percent(value, decimals: 2) }
        func interval(_ statistics: SampleStatistics) -> String {
            guard let interval = statistics.confidenceInterval95 else { return "one image: no interval" }
            func points(_ value: Double) -> String { NumberText.fixed(100 * value, decimals: 2, keepZeros: true) }
            return "95 % CI \(points(interval.lowerBound)) – \(points(interval.upperBound)) points"
        }
        return efficiency.summary(of: "classification", macs: "an image")
            + "Classification of \(ReportText.count(count, "image"))\n"
            + "\(SummaryLine.name("accuracy"))\(percent(dense.accuracy.mean)) → \(percent(pruned.accuracy.mean))   "
            + "dense → pruned, difference \(interval(difference))\n"
            + "\(SummaryLine.name("agreement"))\(percent(agreement.mean))   of images that both take for the same\n"
    }
}

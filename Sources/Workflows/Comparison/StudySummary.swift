import Files
import Reports
import Statistics

/// What a study's runs say of its names, target by target.
struct StudySummary {
    /// One name at one target, over the seeds that are done.
    struct Row {
        let name: String
        let target: String
        let seeds: [Int]
        /// In the order of the study's quantities; nil where no picture has one.
        let quantities: [SampleStatistics?]
        /// The reading that is shown.
        let reading: SampleStatistics?
        let macs: SampleStatistics
        let parameters: SampleStatistics
        let weights: SampleStatistics?
        let time: SampleStatistics
        let seconds: SampleStatistics
        let finetuningSteps: Int
    }

    /// How far one name is above another at one target, over the pictures and seeds that both have.
    struct Difference {
        let name: String
        let other: String
        let target: String
        let seeds: Int
        /// In the order of the study's quantities.
        let quantities: [CrossedDifference?]
    }

    /// In the order of the configuration, target by target; without those of which no seed is done.
    let rows: [Row]
    /// Every name with every one before it.
    let differences: [Difference]

    /// The keys of quantities, and the column of the reading that is shown.
    private let keys: [String]
    private let readingKey: String

    init<Evaluation>(_ outcome: StudyOutcome<Evaluation>) throws {
        keys = Evaluation.quantities.map(\.key)
        readingKey = Evaluation.readings[0].column
        let study = outcome.configuration.study
        var rows: [Row] = []
        var differences: [Difference] = []
        for target in study.targets {
            var done: [(name: String, results: [Int: StudyResult])] = []
            for name in study.methods {
                var results: [Int: StudyResult] = [:]
                for seed in study.seedNumbers { results[seed] = outcome.result(name, target, seed) }
                guard !results.isEmpty else { continue }
                rows.append(try Row(name, target, results, Evaluation.self))
                for (other, theirs) in done {
                    if let difference = try Difference(name, results, over: other, theirs, target, keys) {
                        differences.append(difference)
                    }
                }
                done.append((name, results))
            }
        }
        self.rows = rows
        self.differences = differences
    }

    /// Of `comparison.json`.
    func rowsJSON() throws -> [JSONValue] { try rows.map { try $0.json(keys, readingKey) } }
    var differencesJSON: [JSONValue] { differences.map { $0.json(keys) } }

    /// How far `name` is above `other`; nil where they have no seed in common.
    func difference(_ name: String, over other: String, at target: String) -> Difference? {
        differences.first { $0.name == name && $0.other == other && $0.target == target }
    }
}

extension StudySummary.Row {
    fileprivate init<Evaluation: StudyComparing>(
        _ name: String, _ target: String, _ results: [Int: StudyResult], _: Evaluation.Type
    ) throws {
        self.name = name
        self.target = target
        seeds = results.keys.sorted()
        let ordered = seeds.compactMap { results[$0] }
        func statistics(
            _ value: (StudyResult) -> Double?, within range: ClosedRange<Double>? = nil
        ) throws -> SampleStatistics? {
            let values = ordered.compactMap(value)
            return values.isEmpty ? nil : try SampleStatistics(values, within: range)
        }
        quantities = try Evaluation.quantities.map { quantity in
            try statistics({ $0.mean(quantity.key) }, within: quantity.range)
        }
        let reading = Evaluation.readings[0].key
        self.reading = try statistics({ $0.measures.readings[reading] }, within: 0...Double.greatestFiniteMagnitude)
        macs = try SampleStatistics(ordered.map(\.measures.macs))
        parameters = try SampleStatistics(ordered.map(\.measures.parameters))
        weights = try statistics(\.measures.weights)
        time = try SampleStatistics(ordered.map(\.measures.time))
        seconds = try SampleStatistics(ordered.map(\.seconds))
        finetuningSteps = ordered[0].finetuningSteps
    }

    /// - Parameters:
    ///   - keys: of quantities.
    ///   - readingKey: of the reading.
    fileprivate func json(_ keys: [String], _ readingKey: String) throws -> JSONValue {
        func value(_ statistics: SampleStatistics?) throws -> JSONValue {
            try statistics.map { try JSONValue(encoding: $0) } ?? .null
        }
        var members: [String: JSONValue] = [
            "name": .string(name), "target": .string(target), "seeds": .array(seeds.map { .int($0) }),
            readingKey: try value(reading), "macs": try value(macs), "parameters": try value(parameters),
            "weights": try value(weights), "time": try value(time), "seconds": try value(seconds),
            "finetuning_steps": .int(finetuningSteps),
        ]
        for (key, statistics) in zip(keys, quantities) { members[key] = try value(statistics) }
        return .object(members)
    }
}

extension StudySummary.Difference {
    fileprivate init?(
        _ name: String, _ results: [Int: StudyResult], over other: String, _ theirs: [Int: StudyResult],
        _ target: String, _ keys: [String]
    ) throws {
        let common = results.keys.filter { theirs[$0] != nil }.sorted()
        guard !common.isEmpty else { return nil }
        self.name = name
        self.other = other
        self.target = target
        seeds = common.count
        /// By seed, then by picture: those that have a value everywhere.
        func differences(_ values: (StudyResult) -> [Double?]) throws -> CrossedDifference? {
            let pairs = common.compactMap { seed in
                results[seed].flatMap { mine in theirs[seed].map { (values(mine), values($0)) } }
            }
            let count = pairs.map { min($0.0.count, $0.1.count) }.min() ?? 0
            let pictures = (0..<count).filter { index in
                pairs.allSatisfy { $0.0[index] != nil && $0.1[index] != nil }
            }
            guard !pictures.isEmpty else { return nil }
            return try CrossedDifference(
                pairs.map { mine, theirs in pictures.map { (mine[$0] ?? 0) - (theirs[$0] ?? 0) } })
        }
        quantities = try keys.map { key in try differences { $0.pairs[key] ?? [] } }
        guard quantities.contains(where: { $0 != nil }) else { return nil }
    }

    fileprivate func json(_ keys: [String]) -> JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(name), "over": .string(other), "target": .string(target), "seeds": .int(seeds),
        ]
        for (key, difference) in zip(keys, quantities) {
            members[key] =
                difference.map { difference in
                    [
                        "mean": .double(difference.mean),
                        "ci95": difference.interval.map { [.double($0.lowerBound), .double($0.upperBound)] } ?? .null,
                        "significant": .bool(difference.isSignificant),
                    ]
                } ?? .null
        }
        return .object(members)
    }
}

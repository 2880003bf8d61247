import Evaluation
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
        let ssim: SampleStatistics?
        let psnr: SampleStatistics
        let frechet: SampleStatistics?
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
        let ssim: CrossedDifference?
        let psnr: CrossedDifference
    }

    /// In the order of the configuration, target by target; without those of which no seed is done.
    let rows: [Row]
    /// Every name with every one before it.
    let differences: [Difference]

    init(_ outcome: StudyOutcome) throws {
        let study = outcome.configuration.study
        var rows: [Row] = []
        var differences: [Difference] = []
        for target in study.targets {
            var done: [(name: String, results: [Int: StudyResult])] = []
            for name in study.methods {
                var results: [Int: StudyResult] = [:]
                for seed in study.seedNumbers { results[seed] = outcome.result(name, target, seed) }
                guard !results.isEmpty else { continue }
                rows.append(try Row(name, target, results))
                for (other, theirs) in done {
                    if let difference = try Difference(name, results, over: other, theirs, target) {
                        differences.append(difference)
                    }
                }
                done.append((name, results))
            }
        }
        self.rows = rows
        self.differences = differences
    }

    /// How far `name` is above `other`; nil where they have no seed in common.
    func difference(_ name: String, over other: String, at target: String) -> Difference? {
        differences.first { $0.name == name && $0.other == other && $0.target == target }
    }
}

extension StudySummary.Row {
    fileprivate init(_ name: String, _ target: String, _ results: [Int: StudyResult]) throws {
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
        ssim = try statistics(\.meanSSIM, within: -1...1)
        psnr = try SampleStatistics(ordered.map(\.meanPSNR), within: 0...PeakSignalToNoise.cap)
        frechet = try statistics(\.measures.frechet, within: 0...Double.greatestFiniteMagnitude)
        macs = try SampleStatistics(ordered.map(\.measures.macs))
        parameters = try SampleStatistics(ordered.map(\.measures.parameters))
        weights = try statistics(\.measures.weights)
        time = try SampleStatistics(ordered.map(\.measures.time))
        seconds = try SampleStatistics(ordered.map(\.seconds))
        finetuningSteps = ordered[0].finetuningSteps
    }

    var json: JSONValue {
        get throws {
            func value(_ statistics: SampleStatistics?) throws -> JSONValue {
                try statistics.map { try JSONValue(encoding: $0) } ?? .null
            }
            return [
                "name": .string(name), "target": .string(target), "seeds": .array(seeds.map { .int($0) }),
                "ssim": try value(ssim), "psnr": try value(psnr), "frechet_distance": try value(frechet),
                "macs": try value(macs), "parameters": try value(parameters), "weights": try value(weights),
                "time": try value(time), "seconds": try value(seconds), "finetuning_steps": .int(finetuningSteps),
            ]
        }
    }
}

extension StudySummary.Difference {
    fileprivate init?(
        _ name: String, _ results: [Int: StudyResult], over other: String, _ theirs: [Int: StudyResult],
        _ target: String
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
        ssim = try differences(\.pairs.ssim)
        guard let psnr = try differences({ $0.pairs.psnr.map { $0 } }) else { return nil }
        self.psnr = psnr
    }

    var json: JSONValue {
        get throws {
            func value(_ difference: CrossedDifference?) -> JSONValue {
                guard let difference else { return .null }
                return [
                    "mean": .double(difference.mean),
                    "ci95": difference.interval.map { [.double($0.lowerBound), .double($0.upperBound)] } ?? .null,
                    "significant": .bool(difference.isSignificant),
                ]
            }
            return [
                "name": .string(name), "over": .string(other), "target": .string(target), "seeds": .int(seeds),
                "ssim": value(ssim), "psnr": value(psnr),
            ]
        }
    }
}

import Files
import Foundation
import ModelFolders
import Pruning
import Runs
import Training

/// What a run would take and do, found out by a few steps of which nothing is kept: nothing is written.
public struct Forecast: Sendable {
    /// Mask updates, steps and sample grids, with how long they take; nil where there is nothing to measure.
    public var outlook: Outlook?
    /// Bytes of the process at the most, and of a checkpoint while it is written.
    public var memoryBytes: Double
    /// Of a pruning run only.
    public var pruning: Pruning?

    public struct Pruning: Sendable {
        /// As asked for: "macs=0.5".
        public let target: String
        /// The fraction that the granularity can go down to, by what each limit counts.
        public let lowest: [(limit: Budget.Limit, remaining: Double)]
        /// What would be left, where the method can say so without images or training.
        public let removal: PruningRecord?
    }

    public var json: JSONValue {
        get throws {
            var members: [String: JSONValue] = [
                "schema": 1, "seconds": outlook.map { .double($0.seconds) } ?? .null,
                "work": try outlook.map { try JSONValue(encoding: $0.items) } ?? [],
                "memory_bytes": .int(Int(memoryBytes)),
            ]
            if let pruning {
                members["target"] = .string(pruning.target)
                members["lowest"] = .object(
                    Dictionary(
                        uniqueKeysWithValues: pruning.lowest.map { limit, remaining in
                            (limit.quantity.rawValue, JSONValue.double(limit.value(atShare: remaining)))
                        }))
                members["removal"] =
                    try pruning.removal.map {
                        [
                            "achieved": try JSONValue(encoding: $0.achieved),
                            "groups": try JSONValue(encoding: $0.groups),
                        ]
                    } ?? .null
            }
            return .object(members)
        }
    }
}

extension TrainingLoop {
    /// How often a step is tried out for a forecast: the first time warms up.
    static var trials: Int { 3 }

    /// What training takes, all of it.
    func forecast() throws -> Forecast {
        var timetable = Timetable()
        let (steps, _, _) = appendWork(to: &timetable)
        let reporter = ProgressReporter(nil, timetable)
        let kind = timetable.stretches[steps].kind
        try trySupply(reporter)
        for _ in 0..<Self.trials { try reporter.tried(kind, trainer.rehearse) }
        return Forecast(
            outlook: reporter.timetable.outlook,
            memoryBytes: Forecast.residentBytes + Double(checkpointBytes + supplyBytes))
    }

    /// What a checkpoint takes in memory while it is written.
    var checkpointBytes: Int { trainer.snapshot().arrays.values.reduce(0) { $0 + 4 * $1.count } }
}

extension Forecast {
    /// The most that this process has had in memory so far.
    static var residentBytes: Double {
        // Of this program alone; what getrusage says includes the process that it was started from, on Linux.
        if let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
            let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Double($0) })
        {
            return 1024 * kilobytes
        }
        var usage = rusage()
        #if canImport(Glibc)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            return 1024 * Double(usage.ru_maxrss)
        #else
            getrusage(RUSAGE_SELF, &usage)
            return Double(usage.ru_maxrss)
        #endif
    }
}

import Files
import ModelFolders
import Pruning
import Runs
import TensorCore
import Training

/// What a run would take and do, found out by a few steps of which nothing is kept: nothing is written.
public struct Forecast: Sendable {
    /// Mask updates, steps and sample grids, with how long they take; nil where there is nothing to measure.
    public var outlook: Outlook?
    /// Bytes of buffers at the most, of the images, and of a checkpoint while it is written.
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
                "memory_bytes": .double(memoryBytes),
            ]
            if let pruning {
                members["target"] = .string(pruning.target)
                members["lowest"] = .object(
                    Dictionary(
                        uniqueKeysWithValues: pruning.lowest.map { limit, remaining in
                            let value = limit.quantity == .sparsity ? 1 - remaining : remaining
                            return (limit.quantity.rawValue, JSONValue.double(value))
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
    ///
    /// - Parameter imageBytes: of the images in memory.
    func forecast(imageBytes: Int) throws -> Forecast {
        var timetable = Timetable()
        let (steps, _) = appendWork(to: &timetable)
        let reporter = ProgressReporter(nil, timetable)
        BufferPool.shared.resetPeak()
        let kind = timetable.stretches[steps].kind
        for _ in 0..<Self.trials { try reporter.tried(kind, trainer.rehearse) }
        return Forecast(
            outlook: reporter.timetable.outlook, memoryBytes: memoryBytes(imageBytes: imageBytes))
    }

    /// What was in use at the most since the pool's peak was reset, with what a checkpoint takes beside it.
    func memoryBytes(imageBytes: Int) -> Double {
        let checkpoint = trainer.snapshot().arrays.values.reduce(0) { $0 + 4 * $1.count }
        return Double(BufferPool.shared.peakBytesInUse + imageBytes + checkpoint)
    }
}

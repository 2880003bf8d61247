import Files
import Runs

/// Times a model's work on request, one line of JSON in and one out, so that another program can take turns with it.
///
///     {"work": "training", "batch": 4, "repeats": 3}
///     {"batch":4,"milliseconds":[91.2,90.8,91.1],"peak_bytes":61865984,"work":"training"}
///
/// The first request for some work at some batch size makes a model of its own for it, in place of the last one's, and
/// runs the work once untimed. `repeats` (1…1000) is 1 where it is missing.
public final class BenchmarkServer {
    private let subject: BenchmarkSubject
    private let settings: BenchmarkSettings
    private var prepared: (work: BenchmarkWork, batch: Int, piece: PreparedWork)?

    /// - Parameters:
    ///   - subject: what is timed.
    ///   - settings: sampling steps and seed; what else it says comes with the requests.
    public init(_ subject: BenchmarkSubject, _ settings: BenchmarkSettings) {
        self.subject = subject
        self.settings = settings
    }

    /// - Throws: `RequestError` and `UnknownName` for a line that is no such request; what preparing and running throw.
    public func answer(_ line: String) throws -> String {
        let (work, batch, repeats) = try parse(line)
        let piece = try piece(work, batch: batch)
        let clock = ContinuousClock()
        let times = try (0..<repeats).map { _ in
            JSONValue.double(try clock.measure(piece.run) / .milliseconds(1))
        }
        let answer: JSONValue = [
            "work": .string(work.rawValue), "batch": .int(batch), "milliseconds": .array(times),
            "peak_bytes": .int(piece.peakBytes),
        ]
        return try answer.text(.compact)
    }

    private func piece(_ work: BenchmarkWork, batch: Int) throws -> PreparedWork {
        if let prepared, prepared.work == work, prepared.batch == batch { return prepared.piece }
        prepared = nil
        let piece = try PreparedWork(work, on: subject, batch: batch, settings: settings)
        prepared = (work, batch, piece)
        return piece
    }

    private func parse(_ line: String) throws -> (BenchmarkWork, batch: Int, repeats: Int) {
        guard let request = try? JSONValue(parsing: Array(line.utf8)), case .object(let members) = request,
            let name = request["work"]?.stringValue, let batch = request["batch"]?.intValue
        else {
            throw RequestError.invalid(
                option: "the request", got: String(line.prefix(80)),
                expected: #"one line such as {"work": "forward", "batch": 4, "repeats": 3}"#)
        }
        let legal = ["work", "batch", "repeats"]
        if let unknown = members.keys.filter({ !legal.contains($0) }).min() {
            throw UnknownName(kind: "key of a request", name: unknown, legal: legal)
        }
        let work = try BenchmarkWork(named: name, kind: "work")
        let repeats = request["repeats"].map { $0.intValue ?? 0 } ?? 1
        for (key, value, range) in [("batch", batch, 1...4096), ("repeats", repeats, 1...1000)]
        where !range.contains(value) {
            throw RequestError.invalid(
                option: "'\(key)' of a request", got: "\(value)", expected: "\(range.lowerBound)...\(range.upperBound)")
        }
        return (work, batch, repeats)
    }
}

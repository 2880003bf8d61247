import Files
import Foundation
import Reports

extension BenchmarkSweeps {
    /// What `bench --sweep --json` prints.
    public func json() throws -> JSONValue {
        [
            "schema": 1, "machine": try JSONValue(encoding: machine),
            "other_processes_cores": otherProcesses.map { .double($0) } ?? .null,
            "sweeps": .array(
                try sweeps.map {
                    ["axis": .string($0.axis.rawValue), "points": .array(try $0.points.map { try $0.json() })]
                }),
        ]
    }

    /// What `bench --sweep` prints for people.
    public func text() throws -> String {
        try sweeps.map { try $0.text() }.joined(separator: "\n")
    }

    /// Writes `sweep.json` and, for each axis, `sweep-AXIS.csv` and `sweep-AXIS.svg`.
    public func write(to folder: URL) throws {
        for sweep in sweeps {
            let file = folder.appendingPathComponent("sweep-\(sweep.axis.rawValue)")
            try sweep.csv().write(to: file.appendingPathExtension("csv"))
            try sweep.plot.write(to: file.appendingPathExtension("svg"))
        }
        try JSONFile.write(json(), to: folder.appendingPathComponent("sweep.json"))
    }
}

extension SweepResult.Point {
    fileprivate func json() throws -> JSONValue {
        [
            "work": .string(work.rawValue), "value": .int(value), "batch": .int(batch), "threads": .int(threads),
            "macs": .double(macs), "milliseconds": try JSONValue(encoding: milliseconds),
            "relative_time": try JSONValue(encoding: relativeTime), "relative_work": .double(relativeWork),
        ]
    }
}

extension SweepResult {
    fileprivate func text() throws -> String {
        var table = TextTable(columns: [
            .init(axis.rawValue), .init("work"), .init("MACs", .right), .init("median ms", .right),
            .init("quartiles", .right), .init("time ×", .right), .init("work ×", .right), .init("time/work", .right),
        ])
        for point in points {
            let time = point.milliseconds
            try table.append([
                "\(point.value)", point.work.title, NumberText.compact(point.macs),
                BenchmarkResult.number(time.median), BenchmarkResult.range(time.lowerQuartile, time.upperQuartile),
                BenchmarkResult.number(point.relativeTime.median), BenchmarkResult.number(point.relativeWork),
                BenchmarkResult.number(point.relativeTime.median / point.relativeWork),
            ])
        }
        return table.text
    }

    func csv() throws -> CSV {
        var csv = CSV(columns: [
            "axis", "work", "value", "batch", "threads", "macs", "median_ms", "q1_ms", "q3_ms", "min_ms", "max_ms",
            "relative_time", "relative_work",
        ])
        for point in points {
            let time = point.milliseconds
            try csv.append([
                .text(axis.rawValue), .text(point.work.rawValue), .integer(point.value), .integer(point.batch),
                .integer(point.threads), .number(point.macs), .number(time.median), .number(time.lowerQuartile),
                .number(time.upperQuartile), .number(time.minimum), .number(time.maximum),
                .number(point.relativeTime.median), .number(point.relativeWork),
            ])
        }
        return csv
    }

    /// Medians with their quartiles, and dashed what the first value's time would grow to in proportion to the work.
    var plot: LinePlot {
        LinePlot(
            title: "Time against \(axis.valueTitle)", xAxis: Axis(axis.valueTitle, scale: .logarithmic),
            yAxis: Axis("time", unit: "ms", scale: .logarithmic),
            series: works.flatMap { work in
                let points = series(work)
                let first = points[0].milliseconds.median
                return [
                    LinePlot.Series(
                        work.title,
                        points: points.map {
                            LinePlot.Point(
                                x: Double($0.value), y: $0.milliseconds.median,
                                band: $0.milliseconds.lowerQuartile...$0.milliseconds.upperQuartile)
                        }),
                    LinePlot.Series(
                        "\(work.title), as the work", x: points.map { Double($0.value) },
                        y: points.map { first * $0.relativeWork }, isDashed: true),
                ]
            })
    }
}

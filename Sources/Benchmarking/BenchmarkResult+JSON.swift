import Files

extension BenchmarkResult {
    /// What `bench --json` prints.
    public func json() throws -> JSONValue {
        var members: [String: JSONValue] = [
            "schema": 1,
            "machine": try JSONValue(encoding: machine),
            "multiply_add_peak_gflops": .double(peakRate / 1e9),
            "other_processes_cores": otherProcesses.map { .double($0) } ?? .null,
            "models": .array(
                subjects.map {
                    [
                        "name": .string($0.name), "source": .string($0.source), "parameters": .int($0.parameters),
                        "macs": .double($0.macs), "image_size": .array($0.imageSize.map { .int($0) }),
                    ]
                }),
            "measurements": .array(try measurements.map { try $0.json(names: subjects.map(\.name)) }),
        ]
        if !layers.isEmpty { members["layers"] = .array(try layers.map { try $0.json() }) }
        return .object(members)
    }
}

extension BenchmarkResult.Measurement {
    fileprivate func json(names: [String]) throws -> JSONValue {
        var members: [String: JSONValue] = [
            "work": .string(work.rawValue), "batch": .int(batch), "predictions": .int(predictions),
        ]
        for (name, side) in zip(names, sides) {
            members[name] = [
                "milliseconds": try JSONValue(encoding: side.milliseconds),
                "images_per_second": .double(side.imagesPerSecond),
                "picoseconds_per_mac": .double(side.picosecondsPerMAC), "peak_bytes": .int(side.peakBytes),
            ]
        }
        if let ratio { members["ratio"] = try JSONValue(encoding: ratio) }
        return .object(members)
    }
}

extension LayerTable {
    fileprivate func json() throws -> JSONValue {
        [
            "model": .string(subject), "work": .string(work.rawValue), "batch": .int(batch),
            "passes": try JSONValue(encoding: passes),
            "layers": .array(
                rows.map { row in
                    .object(
                        row.cost.json.merging([
                            "name": .string(row.name), "kind": .string(row.kind.rawValue),
                            "input": .array(row.inputShape.map { .int($0) }),
                            "output": .array(row.outputShape.map { .int($0) }), "min_ms": .double(row.minimum),
                            "max_ms": .double(row.maximum),
                        ]) { $1 })
                }),
            "kinds": .array(
                kinds.map { entry in
                    .object(
                        entry.cost.json.merging(["kind": .string(entry.kind.rawValue), "count": .int(entry.count)]) {
                            $1
                        })
                }),
            "between_layers": .object(between.json), "total": .object(total.json),
        ]
    }
}

extension LayerTable.Cost {
    fileprivate var json: [String: JSONValue] {
        [
            "macs": .double(macs), "ms": .double(milliseconds), "backward_ms": .double(backwardMilliseconds),
            "share": .double(share), "gflops": .double(rate / 1e9),
            "peak_fraction": .double(peakFraction),
        ]
    }
}

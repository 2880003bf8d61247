import Diffusion
import Evaluation
import Files
import ModelFolders
import Statistics
import Timing

extension EvaluationResult {
    /// The contents of `metrics.json`.
    public func json() throws -> JSONValue {
        [
            "schema": 1, "count": .int(count), "seed": .int(Int(clamping: seed)),
            "sampler": ["name": .string(samplerName), "steps": .int(steps), "eta": .double(eta)], "class": classJSON,
            "consistency": try consistencyJSON(),
            "quality": ["frechet_distance": quality.json],
            "efficiency": try efficiency.json(),
            "pruning": try pruning.map(Self.json) ?? .null,
            "warnings": .array(warnings.map { .string($0) }), "made_by": try JSONValue(encoding: madeBy),
        ]
    }

    /// What tells one comparison from another; the rest is in `pruning.json`.
    static func json(_ record: PruningRecord) throws -> JSONValue {
        [
            "method": .string(record.method), "granularity": record.granularity.map { .string($0) } ?? .null,
            "target": .string(record.request), "asked": try JSONValue(encoding: record.asked),
            "achieved": try JSONValue(encoding: record.achieved), "seed": .int(record.seed),
        ]
    }

    /// "all", the one class, or null for unconditional models.
    private var classJSON: JSONValue {
        switch classes {
        case .all?: "all"
        case .one(let label)?:
            Int(exactly: label).map { JSONValue.int($0) } ?? .double(Double(label.description) ?? Double(label))
        case nil: .null
        }
    }

    private func consistencyJSON() throws -> JSONValue {
        guard case .object(var members) = try consistency.json() else { return .null }
        members["epsilon_mse_by_timestep"] = .array(
            predictions.timesteps.map { entry in
                [
                    "timestep": .int(entry.timestep), "mse": .double(entry.difference.mean),
                    "ci95": entry.difference.confidenceJSON, "dense_loss": .double(entry.denseLoss.mean),
                    "pruned_loss": .double(entry.prunedLoss.mean),
                ]
            })
        if !byClass.isEmpty { members["by_class"] = .array(try byClass.map { try $0.json() }) }
        members["epsilon_images"] = ["source": .string(predictionSource), "count": .int(predictionImages)]
        return .object(members)
    }
}

extension ClassResult {
    func json() throws -> JSONValue {
        guard case .object(var members) = try consistency.json() else { return .null }
        members["class"] = .int(label)
        members["name"] = name.map { .string($0) } ?? .null
        members["count"] = .int(consistency.psnr.count)
        members["epsilon_mse"] = try predictions.map { try JSONValue(encoding: $0) } ?? .null
        return .object(members)
    }
}

extension ConsistencySummary {
    func json() throws -> JSONValue {
        guard case .object(var psnr) = try JSONValue(encoding: psnr) else { return .null }
        psnr["identical_pairs"] = .int(identicalPairs)
        psnr["cap"] = .double(PeakSignalToNoise.cap)
        return [
            "ssim": try ssim.map { try JSONValue(encoding: $0) } ?? .null, "psnr": .object(psnr),
            "mse": try JSONValue(encoding: meanSquaredError),
        ]
    }
}

extension EvaluationResult.Pair {
    /// - Parameter isInteger: for counts, which are then written as such.
    func json(isInteger: Bool = true) -> JSONValue {
        func number(_ value: Double) -> JSONValue {
            isInteger ? Int(exactly: value).map { .int($0) } ?? .double(value) : .double(value)
        }
        return ["dense": number(dense), "pruned": number(pruned), "ratio": .double(ratio)]
    }
}

extension EvaluationResult.Efficiency {
    func json() throws -> JSONValue {
        guard case .object(var latency) = batchTiming.json, case .object(var memory) = peakBytes.json() else {
            return .null
        }
        latency["batch"] = .int(batch)
        latency["batch_1"] = singleTiming.json
        latency["threads"] = .int(threads)
        latency["instruction_set"] = .string(instructionSet)
        latency["processor"] = .string(processor)
        memory["batch"] = .int(batch)
        return [
            "parameters": parameters.json(), "macs": macs.json(), "latency_ms": .object(latency),
            "peak_memory_bytes": .object(memory), "file_bytes": fileBytes.json(),
        ]
    }
}

extension InterleavedTiming {
    /// Medians, and the median of the ratios within rounds, with quartiles beside them.
    var json: JSONValue {
        func quartiles(_ statistics: SampleStatistics) -> JSONValue {
            [.double(statistics.lowerQuartile), .double(statistics.upperQuartile)]
        }
        return [
            "dense": .double(first.median), "pruned": .double(second.median), "ratio": .double(ratio.median),
            "dense_quartiles": quartiles(first), "pruned_quartiles": quartiles(second),
            "ratio_quartiles": quartiles(ratio), "rounds": .int(rounds),
        ]
    }
}

extension FrechetQuality {
    var json: JSONValue {
        switch self {
        case .unavailable(let reason, let remedy):
            return [
                "dense": .null, "pruned": .null, "feature_net": .null, "reference": .null, "reason": .string(reason),
                "remedy": remedy.map { .string($0) } ?? .null,
            ]
        case .measured(let distances):
            return [
                "dense": .double(distances.dense), "pruned": .double(distances.pruned),
                "feature_net": .string(distances.featureNet), "reference": .string(distances.reference),
                "dimension": .int(distances.dimension), "count": .int(distances.count),
                "reference_count": .int(distances.referenceCount),
                "dense_to_pruned": .double(distances.denseToPruned),
                "real_images": distances.realImages.map { .double($0) } ?? .null,
            ]
        }
    }
}

extension SampleStatistics {
    var confidenceJSON: JSONValue {
        guard let interval = confidenceInterval95 else { return .null }
        return [.double(interval.lowerBound), .double(interval.upperBound)]
    }
}

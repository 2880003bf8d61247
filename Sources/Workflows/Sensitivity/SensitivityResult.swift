import Files
import ModelFolders

/// What each group and block does to a model when it alone is narrowed, and what ratios follow from that.
public struct SensitivityResult {
    /// One channel group.
    struct Group {
        let name: String
        let width: Int
        let isRemovable: Bool
    }

    let groups: [Group]
    let plan: SensitivityPlan
    let timesteps: [Int]
    /// Of the schedule.
    let timestepCount: Int
    let readings: [SensitivityReading]
    let suggestion: RatioSuggestion
    let madeBy: Provenance

    /// Names of the blocks, in the network's order.
    var blocks: [String] {
        readings.filter { $0.kind == .block }.map(\.name).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    func reading(_ kind: SensitivityProbe.Kind, _ name: String, _ ratio: Double) -> SensitivityReading? {
        readings.first { $0.kind == kind && $0.name == name && $0.ratio == ratio }
    }

    /// The contents of `sensitivity.json`.
    public var json: JSONValue {
        get throws {
            [
                "schema": 1, "configuration": try JSONValue(snakeCasing: plan),
                "timesteps": .array(timesteps.map { .int($0) }),
                "groups": .array(
                    try zip(groups, suggestion.shares).map { group, share in
                        [
                            "name": .string(group.name), "width": .int(group.width),
                            "suggested_ratio": .double(share), "probes": try probes(.group, group.name),
                        ]
                    }),
                "blocks": .array(
                    try blocks.map { ["name": .string($0), "probes": try probes(.block, $0)] }),
                "suggestion": [
                    "target": .string(plan.target), "left": .array(suggestion.remaining.map { .double($0) }),
                    "epsilon_mse": .double(suggestion.error),
                ],
                "made_by": try JSONValue(encoding: madeBy),
            ]
        }
    }

    private func probes(_ kind: SensitivityProbe.Kind, _ name: String) throws -> JSONValue {
        .array(
            readings.filter { $0.kind == kind && $0.name == name }.map { reading in
                [
                    "ratio": .double(reading.ratio), "epsilon_mse": .double(reading.epsilon),
                    "epsilon_mse_by_timestep": .array(reading.epsilonByTimestep.map { .double($0) }),
                    "ssim": reading.ssim.map { .double($0) } ?? .null,
                ]
            })
    }

    /// The contents of `ratios.json`, for `prune --ratios`.
    var ratios: JSONValue {
        [
            "schema": 1, "target": .string(plan.target), "criterion": .string(plan.criterion),
            "ratios": .object(
                Dictionary(uniqueKeysWithValues: zip(groups, suggestion.shares).map { ($0.name, .double($1)) })),
        ]
    }
}

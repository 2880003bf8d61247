import Files
import Foundation

/// One thing that is narrowed while the rest of the model is whole.
struct SensitivityProbe: Equatable {
    enum Kind: String, Codable {
        case group, block
    }

    let kind: Kind
    let name: String
    /// Numbers of the sites that are narrowed.
    let sites: [Int]
    /// Share of each that stays; 0 for none, of a group that may vanish.
    let ratio: Double

    /// Every probe of a model, in their order: each group at every ratio, then each block.
    ///
    /// - Parameters:
    ///   - groups: names of the sites, and whether all of it may leave.
    ///   - plan: ratios, and whether blocks are probed.
    static func all(of groups: [(name: String, isRemovable: Bool)], _ plan: SensitivityPlan) -> [SensitivityProbe] {
        var probes: [SensitivityProbe] = []
        for (site, group) in groups.enumerated() {
            for ratio in plan.ratios + (group.isRemovable ? [0] : []) {
                probes.append(SensitivityProbe(kind: .group, name: group.name, sites: [site], ratio: ratio))
            }
        }
        guard plan.blocks else { return probes }
        let names = groups.map { block(of: $0.name) }
        for (first, name) in names.enumerated() where names.firstIndex(of: name) == first {
            let sites = names.indices.filter { names[$0] == name }
            guard sites.count > 1 else { continue }
            for ratio in plan.ratios {
                probes.append(SensitivityProbe(kind: .block, name: name, sites: sites, ratio: ratio))
            }
        }
        return probes
    }

    /// "down_blocks.0" of "down_blocks.0.resnets.1.inner", "mid_block" of "mid_block.resnets.0.inner".
    static func block(of name: String) -> String {
        let parts = name.split(separator: ".")
        let isNumbered = parts.count > 1 && Int(parts[1]) != nil
        return parts.prefix(isNumbered ? 2 : 1).joined(separator: ".")
    }

    /// How many of a site's coordinates stay.
    func kept(of width: Int) -> Int { ratio == 0 ? 0 : max(1, Int((ratio * Double(width)).rounded())) }
}

/// What a probe did to the model.
struct SensitivityReading: Codable, Equatable {
    let kind: SensitivityProbe.Kind
    let name: String
    let ratio: Double
    /// At each timestep: mean over images and elements of (ε_dense − ε_narrowed)².
    let epsilonByTimestep: [Double]
    /// Mean over pictures drawn from the same noise; nil where none are, or they are smaller than SSIM's window.
    let ssim: Double?

    /// Over all timesteps.
    var epsilon: Double { epsilonByTimestep.reduce(0, +) / Double(max(epsilonByTimestep.count, 1)) }

    private enum CodingKeys: String, CodingKey {
        case kind, name, ratio, ssim
        case epsilonByTimestep = "epsilon_mse_by_timestep"
    }
}

/// Readings in a folder, a file each, written as they are made.
struct ProbeCache {
    private let folder: URL

    init(_ folder: URL) { self.folder = folder }

    private func file(_ number: Int) -> URL { folder.appendingPathComponent("\(FileNumber.text(number)).json") }

    /// The reading of a probe; nil where none was made, or what is there is not whole.
    func reading(_ number: Int, of probe: SensitivityProbe) -> SensitivityReading? {
        guard let reading = try? JSONFile.read(file(number)).decoded(as: SensitivityReading.self),
            reading.kind == probe.kind, reading.name == probe.name, reading.ratio == probe.ratio
        else { return nil }
        return reading
    }

    func write(_ reading: SensitivityReading, _ number: Int) throws {
        try OutputFolder.prepare(folder, overwriting: true, followingLinks: false)
        try JSONFile.write(JSONValue(encoding: reading), to: file(number))
    }
}

import Configuration
import Files
import Foundation

/// The section `law`: at which pressures a network is left alone with them.
public struct LawPlan: ConfigurationSection, Equatable {
    /// Folder of the model that every run starts from.
    public var model = ""
    /// γ_eff of the first run.
    public var lowest = 0.01
    /// γ_eff of the last run.
    public var highest = 100.0
    /// How many pressures there are, at equal ratios.
    public var points = 6

    public init() {}

    /// Ascending.
    var pressures: [Double] {
        (0..<points).map { index in
            let share = Double(index) / Double(points - 1)
            // The ends as they are written.
            return share == 0 ? lowest : share == 1 ? highest : lowest * pow(highest / lowest, share)
        }
    }

    public func validate() throws {
        try require(lowest >= 1e-12 && lowest <= 1e12, "lowest", got: lowest, expected: "in [1e-12, 1e12]")
        try require(
            highest > lowest && highest <= 1e12, "highest", got: highest, expected: "above law.lowest, at most 1e12")
        try require((3...1000).contains(points), "points", got: points, expected: "3...1000")
    }
}

import Configuration
import Datasets
import Files
import Foundation

/// Everything that defines a sensitivity analysis.
public struct SensitivityConfiguration: Sendable {
    public var plan: SensitivityPlan
    public var data: DataConfiguration

    /// - Parameters:
    ///   - file: sections `sensitivity` and `data`; nil for defaults.
    ///   - overrides: "section.key=value", applied in order.
    ///   - path: what takes the place of the file's.
    public init(file: URL?, overrides: [String] = [], data path: String? = nil) throws {
        let document = try ConfigurationDocument(
            file: file, overrides: overrides, sections: ["sensitivity", "data"],
            defaults: [
                "sensitivity": try JSONValue(snakeCasing: SensitivityPlan()),
                "data": try JSONValue(snakeCasing: DataConfiguration()),
            ])
        plan = try document.section("sensitivity")
        plan.ratios.sort(by: >)
        data = try document.section("data")
        if let path { data.path = path }
        try data.requirePath(expected: "a folder or file of images (--data), at which predictions are compared")
    }

    /// Every section with all its keys.
    var values: JSONValue {
        get throws {
            ["sensitivity": try JSONValue(snakeCasing: plan), "data": try JSONValue(snakeCasing: data)]
        }
    }
}

import Files
import Foundation
import PruningMethods
import Reports

/// A pressure law with the runs that it was told from, and the run that it was checked by.
public struct LawOutcome {
    let configuration: LawConfiguration
    /// Ascending by pressure.
    let runs: [LawRun]
    /// The fraction of the cost that stays whatever the pressure.
    let lowest: Double
    /// nil where too few runs say something.
    let pure: PressureLaw?
    let quadratic: PressureLaw?
    /// The fraction that was wanted to be left.
    let wanted: Double
    /// At the predicted pressure; nil where there is none, or it was not run yet.
    var check: LawRun?
    let folder: URL
    let madeBy: Provenance

    init(_ configuration: LawConfiguration, runs: [LawRun], lowest: Double, in folder: URL, command: String) throws {
        self.configuration = configuration
        self.runs = runs
        self.lowest = lowest
        self.folder = folder
        wanted = try configuration.wanted
        madeBy = Provenance(command: command)
        let points = runs.filter { $0.use(above: lowest) == .fitted }
            .map { PressureLaw.Point(pressure: $0.pressure, remaining: $0.remaining) }
        pure = try? PressureLaw(fitting: points, form: .pure)
        quadratic = try? PressureLaw(fitting: points, form: .quadratic)
    }

    /// The law that predicts, and the pressure that it says leaves what is wanted: the quadratic one where more points
    /// were fitted than it has constants, and it comes to that; else the pure one.
    var prediction: (law: PressureLaw, pressure: Double)? {
        let fitted = runs.count { $0.use(above: lowest) == .fitted }
        let laws = [fitted > PressureLaw.Form.quadratic.minimumPoints ? quadratic : nil, pure].compactMap { $0 }
        for law in laws {
            if let pressure = law.pressure(leaving: wanted), (1e-12...1e12).contains(pressure) {
                return (law, pressure)
            }
        }
        return nil
    }

    // MARK: what is written

    public static let reportName = "report.html"
    static let resultName = "law.json"
    static let plotName = "law.svg"

    func write() throws {
        let page = try LawReport(outcome: self).page()
        try OutputFolder.claiming(folder, overwriting: true) {
            try StagedOutput.write(into: folder) { folder in
                try JSONFile.write(json, to: folder.appendingPathComponent(Self.resultName))
                try LawReport(outcome: self).plot.write(to: folder.appendingPathComponent(Self.plotName))
                try page.write(to: folder.appendingPathComponent(Self.reportName))
            }
        }
    }

    /// The contents of `law.json`.
    public var json: JSONValue {
        get throws {
            func members(_ law: PressureLaw?) -> JSONValue {
                guard let law else { return .null }
                return [
                    "c": .double(law.scale), "alpha0": .double(law.exponent), "alpha1": .double(law.curvature),
                    "r_squared": .double(law.determination),
                ]
            }
            var prediction = JSONValue.null
            if let found = self.prediction {
                prediction = [
                    "law": .string(found.law.form.rawValue), "wanted": .double(wanted),
                    "pressure": .double(found.pressure),
                    "remaining": check.map { .double($0.remaining) } ?? .null,
                    "error": check.map { .double($0.remaining - wanted) } ?? .null,
                ]
            }
            return [
                "schema": 1, "configuration": try configuration.values,
                "runs": .array(
                    runs.map { run in run.json.overlaid(with: ["use": .string(run.use(above: lowest).rawValue)]) }),
                "lowest": .double(lowest), "pure": members(pure), "quadratic": members(quadratic),
                "prediction": prediction, "made_by": try JSONValue(encoding: madeBy),
            ]
        }
    }
}

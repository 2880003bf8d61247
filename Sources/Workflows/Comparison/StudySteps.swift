import Files
import Foundation
import ModelFolders
import Runs

/// How many fine-tuning steps each run of a study takes: `steps.json` in its folder, so that all processes and a study
/// that is gone on with take the same.
struct StudySteps: Codable {
    /// By name, then by target; empty where all take as many as they are configured to.
    private var steps: [String: [String: Int]] = [:]
    private var schema = 1

    private static let name = "steps.json"

    /// With equal time: as many as bring each run to the time of the first name's, mask updates included, both measured
    /// by trials.
    init<Evaluation>(
        _ configuration: StudySettings<Evaluation>, dense: Evaluation.Model, in context: RunContext
    ) throws {
        guard configuration.study.equal == .time, let reference = configuration.study.methods.first else { return }
        let seed = configuration.study.firstSeed
        for target in configuration.study.targets {
            func pace(_ name: String) throws -> (pace: Pace, steps: Int) {
                let run = try configuration.run(of: StudyCell(name: name, target: target, seed: seed))
                let forecast = try PruningWorkflow(run, model: dense.copied(), in: context).forecast()
                return (Pace(forecast.outlook), run.finetuning.training.steps)
            }
            let (first, usual) = try pace(reference)
            let total = first.other + Double(usual) * first.step
            steps[reference, default: [:]][target] = usual
            for name in configuration.study.methods.dropFirst() {
                let (pace, asked) = try pace(name)
                // At least one where there were any: a method may learn its masks by them.
                let fitting = pace.step > 0 ? Int(((total - pace.other) / pace.step).rounded()) : asked
                steps[name, default: [:]][target] = min(max(fitting, min(asked, 1)), 10_000_000)
            }
        }
    }

    /// Seconds of a step, and of all that is no step.
    private struct Pace {
        var step = 0.0
        var other = 0.0

        init(_ outlook: Outlook?) {
            for item in outlook?.items ?? [] {
                if item.noun == "step" {
                    step = item.seconds / Double(max(item.count, 1))
                } else {
                    other += item.seconds
                }
            }
        }
    }

    /// nil for as many as are configured.
    func steps(of cell: StudyCell) -> Int? { steps[cell.name]?[cell.target] }

    func write(to study: URL) throws {
        try JSONFile.write(JSONValue(encoding: self), to: study.appendingPathComponent(Self.name))
    }

    static func read(from study: URL) throws -> StudySteps {
        let url = study.appendingPathComponent(name)
        do {
            return try JSONFile.read(url).decoded(as: StudySteps.self)
        } catch let error as SettingError {
            throw StudyError.badResult(path: url.path, reason: "\(error)")
        }
    }
}

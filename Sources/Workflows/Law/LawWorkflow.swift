import Files
import Foundation
import ModelFolders
import Pruning
import PruningMethods
import Runs

/// Measures how much of a model a constant pressure leaves, fits the law, and checks what it predicts.
///
/// The law's folder holds `config.yaml`, `run.json` and the folder of each run as `prune` writes it: `runs/1` … in the
/// order of the pressures, and `check` at the predicted one; and in the end `law.json`, `law.svg` and `report.html`.
/// Stopped or killed anywhere it is gone on with by the same call: runs that are done are only read again.
public struct LawWorkflow {
    private let configuration: LawConfiguration
    private let pipeline: Pipeline
    private let context: RunContext

    /// - Parameters:
    ///   - configuration: what defines the law.
    ///   - pipeline: the model that every run starts from; it is left as it is.
    ///   - context: the law's folder.
    public init(_ configuration: LawConfiguration, pipeline: Pipeline, in context: RunContext) {
        self.configuration = configuration
        self.pipeline = pipeline
        self.context = context
    }

    /// What one of the runs would take, as often as there are; nothing is written.
    ///
    /// - Throws: as `run`, before any work.
    public func forecast() throws -> Forecast {
        let run = try configuration.run(pressure: configuration.law.lowest)
        let one = try PruningWorkflow(run, pipeline: pipeline.copied(), in: context).forecast()
        // And the one that checks.
        let runs = configuration.law.points + 1
        return Forecast(
            outlook: Outlook(items: [
                .init(noun: "run", count: runs, seconds: (one.outlook?.seconds ?? 0) * Double(runs))
            ]), memoryBytes: one.memoryBytes, pruning: nil)
    }

    /// Does what is left of the law and writes it.
    ///
    /// - Throws: `RunStopped` where that was asked for; `BudgetError`, `SettingError`, `LawError`, `StorageError` and
    ///   all else that can be wrong with a pruning run.
    public func run() throws -> LawOutcome {
        let lowest = try lowestRemaining()
        try open()
        let pressures = configuration.law.pressures
        let total = pressures.count + 1
        var progress = StudyProgress(context.progress, total: total)
        return try context.interruption.heeded {
            func measured(_ index: Int, _ name: String, _ pressure: Double) throws -> LawRun {
                guard !context.interruption.isRequested else {
                    throw RunStopped(reached: "run \(index + 1) of \(total)")
                }
                let folder = context.output.appendingPathComponent(name)
                try progress.measure(index, "at pressure \(pressure.significant(3))") {
                    try carryOut(pressure, in: folder, $0)
                }
                return try LawRun(pressure: pressure, in: folder)
            }
            let runs = try pressures.enumerated().map { try measured($0, "runs/\($0 + 1)", $1) }
            var outcome = try LawOutcome(
                configuration, runs: runs, lowest: lowest, in: context.output, command: context.command)
            if let predicted = outcome.prediction {
                outcome.check = try measured(pressures.count, "check", predicted.pressure)
            }
            try outcome.write()
            return outcome
        }
    }

    /// Refuses what follows from the configuration and the model alone.
    ///
    /// - Returns: the fraction of the cost that stays whatever the pressure.
    private func lowestRemaining() throws -> Double {
        let run = try configuration.run(pressure: configuration.law.lowest)
        let planned = try PruningWorkflow(run, pipeline: pipeline, in: context).check()
        let space = PruningSpace.of(planned.granularity.space, in: pipeline.model)
        return try planned.selection(in: space, of: pipeline.model, run.pruning).lowestFractions[0].remaining
    }

    /// Makes the folder, or finds it made from the same.
    private func open() throws {
        let data = try configuration.data
        // Where the model lies is no matter: what it is is compared.
        let compared = try configuration.values.overlaid(with: ["law": ["model": ""]])
        let identity = try RunIdentity(
            command: "law", configuration: compared, models: ["model": pipeline.digests()],
            data: data.path.isEmpty ? nil : data.open(for: pipeline.model))
        let record = RunRecord(folder: context.output)
        if context.isResuming {
            guard let began = try record.read() else {
                throw RequestError.conflict("there is no law in \(context.output.path)")
            }
            let differences = identity.differences(from: began.identity, growth: .refused(key: "", reason: ""))
            guard differences.isEmpty else {
                throw LawError.changed(path: context.output.path, differences: differences)
            }
            return
        }
        let lock = try OutputFolder.claim(context.output, overwriting: false)
        try withExtendedLifetime(lock) {
            try AtomicFile.write(
                Data(configuration.yaml.utf8), to: context.output.appendingPathComponent("config.yaml"))
            try record.write(
                RunRecord.Content(
                    identity: identity, places: context.places.mapValues(\.standardizedFileURL.path),
                    flags: context.flags))
        }
    }

    /// - Returns: whether there was anything left to do.
    private func carryOut(_ pressure: Double, in folder: URL, _ progress: ProgressHandler?) throws -> Bool {
        let record = try RunRecord(folder: folder).read()
        guard record?.finished == nil else { return false }
        let own = RunContext(
            output: folder, occupied: record == nil ? .refused : .resumed, command: context.command,
            places: context.places, interruption: context.interruption, progress: progress, warning: context.warning)
        let run = try configuration.run(pressure: pressure)
        do {
            try OutputClaim.holding(folder) {
                _ = try PruningWorkflow(run, pipeline: pipeline.copied(), in: own).run()
            }
        } catch let stop as RunStopped {
            throw RunStopped(reached: "\(stop.reached) at pressure \(pressure.significant(3))")
        }
        return true
    }
}

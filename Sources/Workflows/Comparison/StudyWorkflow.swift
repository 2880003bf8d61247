import Datasets
import Files
import Foundation
import Imagery
import ModelFolders
import Runs

/// Prunes one model by methods × targets × seeds, each run in the same way, and compares what comes out.
///
/// The study's folder holds `config.yaml`, `run.json` and, by name, target and seed, the folder of each run: `run/` as
/// `prune` writes it, `evaluation/` as `evaluate` does, `result.json`. Several processes may work on one study: each
/// takes a run that nobody has begun, or whose process is gone, and each writes the comparison of all that is done when
/// nothing is left for it.
public struct StudyWorkflow<Evaluation: StudyComparing> {
    public typealias Dense = LoadedModel<Evaluation.Model.Folder>

    private let configuration: StudySettings<Evaluation>
    private let dense: Dense
    private let context: RunContext

    /// - Parameters:
    ///   - configuration: what defines the study.
    ///   - dense: the model that every run starts from.
    ///   - context: the study's folder.
    public init(_ configuration: StudySettings<Evaluation>, dense: Dense, in context: RunContext) {
        self.configuration = configuration
        self.dense = dense
        self.context = context
    }

    // MARK: before the work

    /// Refuses what follows from the configuration and the model alone, in any of the runs.
    private func check() throws {
        try configuration.evaluation.check(dense.model, configuration.data)
        for cell in configuration.cells where cell.seed == configuration.study.firstSeed {
            do {
                try PruningWorkflow(configuration.run(of: cell), model: dense.model, in: context).check()
            } catch {
                throw StudyError.impossible(cell, reason: "\(error)")
            }
        }
    }

    /// What all runs would take, by trials of one of each name and target; nothing is written.
    public func forecast() throws -> Forecast {
        try check()
        let table = try StudySteps(configuration, dense: dense.model, in: context)
        var (seconds, memory) = (0.0, 0.0)
        for cell in configuration.cells where cell.seed == configuration.study.firstSeed {
            let forecast = try PruningWorkflow(
                configuration.run(of: cell, steps: table.steps(of: cell)), model: dense.model.copied(),
                in: context
            ).forecast()
            seconds += forecast.outlook?.seconds ?? 0
            memory = max(memory, forecast.memoryBytes)
        }
        let runs = configuration.cells.count
        let comparing = try configuration.evaluation.seconds(of: dense.model, configuration.data)
        return Forecast(
            outlook: Outlook(items: [
                .init(noun: "run", count: runs, seconds: seconds * Double(configuration.study.seeds)),
                .init(noun: "comparison", count: runs, seconds: comparing * Double(runs)),
            ]), memoryBytes: memory, pruning: nil)
    }

    // MARK: the work

    /// Does what is left of the study and writes the comparison.
    ///
    /// - Throws: `RunStopped` where that was asked for; what is wrong with the study, but not with one run of it: that
    ///   is in the outcome.
    public func run() throws -> StudyOutcome<Evaluation> {
        try check()
        let steps = try opened()
        let cells = configuration.cells
        var progress = StudyProgress(context.progress, total: cells.count)
        try context.interruption.heeded {
            for (index, cell) in cells.enumerated() {
                guard !context.interruption.isRequested else {
                    throw RunStopped(reached: "run \(index + 1) of \(cells.count)")
                }
                try progress.measure(index, "\(cell.name) at \(cell.target)") { handler in
                    try take(cell, steps: steps.steps(of: cell), progress: handler)
                }
            }
        }
        let outcome = try StudyOutcome(configuration, in: context.output, command: context.command)
        try outcome.write(to: context.output)
        return outcome
    }

    /// Makes the folder, or finds it made from the same.
    private func opened() throws -> StudySteps {
        let data = try configuration.data
        let images = try data.path.isEmpty ? nil : dense.model.images(data)
        let identity = try RunIdentity(
            command: "compare", configuration: configuration.values, models: ["model": dense.model.digests()],
            data: images)
        let record = RunRecord(folder: context.output)
        if context.isResuming {
            guard let began = try record.read() else {
                throw RequestError.conflict("there is no study in \(context.output.path)")
            }
            let differences = identity.differences(from: began.identity, growth: .refused(key: "", reason: ""))
            guard differences.isEmpty else {
                throw StudyError.changed(path: context.output.path, differences: differences)
            }
            return try StudySteps.read(from: context.output)
        }
        let lock = try OutputFolder.claim(context.output, overwriting: false)
        return try withExtendedLifetime(lock) {
            let steps = try StudySteps(configuration, dense: dense.model, in: context)
            try steps.write(to: context.output)
            try AtomicFile.write(
                Data(identity.configuration.yaml.utf8), to: context.output.appendingPathComponent("config.yaml"))
            // Last of all: from here on other processes may take runs.
            try record.write(
                RunRecord.Content(
                    identity: identity, places: context.places.mapValues(\.standardizedFileURL.path),
                    flags: context.flags))
            return steps
        }
    }

    /// Carries a run out unless it is done, or another process is at it.
    /// - Returns: whether anything was done.
    private func take(
        _ cell: StudyCell, steps: Int?, progress: ProgressHandler?
    ) throws -> Bool {
        let folder = cell.folder(in: context.output)
        if try StudyResult.read(from: folder) != nil { return false }
        let lock: FolderLock
        do {
            lock = try OutputFolder.claim(folder, overwriting: true)
        } catch StorageError.inUse {
            return false
        }
        return try withExtendedLifetime(lock) {
            // Another process may have done it before it was claimed.
            if try StudyResult.read(from: folder) != nil { return false }
            StudyFailure.clear(folder)
            do {
                try carryOut(cell, in: folder, steps: steps, progress)
            } catch let stop as RunStopped {
                throw RunStopped(reached: "\(stop.reached) of \(cell.title)")
            } catch {
                context.warning?("\(cell.title): \(error)")
                try StudyFailure.write("\(error)", to: folder)
            }
            return true
        }
    }

    private func carryOut(
        _ cell: StudyCell, in folder: URL, steps: Int?, _ progress: ProgressHandler?
    ) throws {
        let run = folder.appendingPathComponent("run")
        let record = try RunRecord(folder: run).read()
        let clock = ContinuousClock()
        let (start, before) = (clock.now, try StudyTime.read(from: folder))
        var seconds: Double { before + (clock.now - start) / .seconds(1) }
        var pruningContext = RunContext(
            output: run, occupied: record == nil ? .refused : .resumed, command: context.command,
            places: context.places, interruption: context.interruption, progress: progress, warning: context.warning)
        let (comparison, data) = (configuration.evaluation, try configuration.data)
        let configuration = try configuration.run(of: cell, steps: steps)
        pruningContext.following = comparison.following(
            data, prunedShare: try configuration.prunedShare(of: dense.model))
        let pruning: PruningOutcome
        do {
            pruning = try OutputClaim.holding(run) {
                try PruningWorkflow(configuration, model: dense.model.copied(), in: pruningContext).run()
            }
        } catch let stop as RunStopped {
            try StudyTime.write(seconds, to: folder)
            throw stop
        }
        // A run that was done before is only read again.
        let spent = record?.finished == nil ? seconds : before
        try StudyTime.write(spent, to: folder)
        let evaluation = folder.appendingPathComponent("evaluation")
        let result = try comparison.compare(
            dense, pruning.modelURL, data,
            in: RunContext(
                output: evaluation, occupied: .overwritten, command: context.command, progress: progress))
        try StudyResult(result, pruning: pruning, seconds: spent).write(to: folder)
    }
}

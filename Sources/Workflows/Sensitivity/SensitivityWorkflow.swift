import Diffusion
import Evaluation
import Files
import Foundation
import Imagery
import Layers
import ModelFolders
import Models
import Pruning
import Runs
import Training

/// Narrows each channel group, and each block, alone, and reads what that does to predictions and pictures.
///
/// The folder holds `config.yaml`, `run.json`, a file a probe in `probes/`, and in the end `sensitivity.json`,
/// `ratios.json` and `report.html`. All follows from the probes, so a run that is resumed ends as if it had never
/// stopped.
///
/// Based on: Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017, arXiv 1608.08710, section 3.2.
///
/// Differs from the paper: predictions and pictures are compared with the dense model's, by timestep too, in place of
/// a classifier's accuracy.
public struct SensitivityWorkflow {
    private let configuration: SensitivityConfiguration
    private let pipeline: Pipeline
    private let context: RunContext
    private var plan: SensitivityPlan { configuration.plan }

    /// - Parameters:
    ///   - configuration: what defines the analysis.
    ///   - pipeline: the model, which stays as it is.
    ///   - context: the folder to write.
    public init(_ configuration: SensitivityConfiguration, pipeline: Pipeline, in context: RunContext) {
        self.configuration = configuration
        self.pipeline = pipeline
        self.context = context
    }

    /// What is known of the model before anything is read.
    private struct Prepared {
        let space: PruningSpace
        let selection: Selection
        let probes: [SensitivityProbe]
        let criterion: any ImportanceCriterion
        let data: InMemoryDataset
    }

    /// - Throws: what is wrong with the settings, before images are read; then what reading them throws.
    private func prepared() throws -> Prepared {
        let model = pipeline.model
        pipeline.model.timestepCount = try pipeline.scheduler.trainTimesteps
        let space = PruningSpace.channels(of: model)
        let selection = try Selection(
            space: space, network: model, budget: Budget(parsing: plan.target), granularity: .channel,
            minimumFraction: 0, storedAs: StoredWeights(model.parameters, as: pipeline.weightTypes))
        // Whether the target can be reached at all by these ratios.
        _ = try RatioSuggestion(
            space.groups.map { _ in plan.ratios.map { (ratio: $0, error: 0.0) } }, within: selection)
        let name = try ScoreCriterion(named: plan.criterion)
        let criterion = try name.criterion(seed: UInt64(plan.seed), probes: ScoringRequest.defaultProbes)
        guard !name.isElementwise, type(of: criterion).card.spaces.contains(.channels) else {
            throw SettingError(
                key: "sensitivity.criterion", got: "'\(plan.criterion)'", expected: "one that scores channels")
        }
        context.progress?(ProgressUpdate(phase: "reading images"))
        return Prepared(
            space: space, selection: selection,
            probes: SensitivityProbe.all(of: space.groups.map { ($0.name, $0.axis.isRemovable) }, plan),
            criterion: criterion, data: try configuration.data.open(for: model))
    }

    /// What `run` would take, by a few probes; nothing is written.
    public func forecast() throws -> Forecast {
        let prepared = try prepared()
        let work = try SensitivityWork(pipeline, prepared.space, prepared.criterion, prepared.data, plan)
        var timetable = Timetable([.init("probe", pieces: prepared.probes.count, weight: 1, noun: "probe")])
        let reporter = ProgressReporter(context.progress, timetable)
        for probe in prepared.probes.prefix(3) { try reporter.tried("probe") { _ = try work.reading(of: probe) } }
        timetable.takeMeasures(of: reporter.timetable)
        return Forecast(outlook: timetable.outlook, memoryBytes: Forecast.residentBytes, pruning: nil)
    }

    /// - Throws: `RunStopped` where that was asked for, and everything else that can be wrong with a run.
    public func run() throws -> SensitivityResult {
        let prepared = try prepared()
        let identity = try RunIdentity(
            command: "sensitivity", configuration: configuration.values, models: ["model": pipeline.digests()],
            data: prepared.data)
        let folder = try context.open(
            identity, growth: .refused(key: "", reason: "a sensitivity analysis cannot be made longer"))
        return try withExtendedLifetime(folder) {
            let readings = try context.interruption.heeded { try self.readings(prepared) }
            let result = try result(prepared, readings)
            try StagedOutput.write(into: context.output) { folder in
                try JSONFile.write(result.json, to: folder.appendingPathComponent("sensitivity.json"))
                try JSONFile.write(result.ratios, to: folder.appendingPathComponent("ratios.json"))
                try SensitivityReport(result: result, instructions: context.command).page()
                    .write(to: folder.appendingPathComponent("report.html"))
            }
            return result
        }
    }

    /// Those that are there, and the others made.
    private func readings(_ prepared: Prepared) throws -> [SensitivityReading] {
        let cache = ProbeCache(context.output.appendingPathComponent("probes"))
        let probes = prepared.probes
        var readings = probes.enumerated().map { cache.reading($0, of: $1) }
        let missing = readings.indices.filter { readings[$0] == nil }
        guard let first = missing.first else { return readings.compactMap(\.self) }
        let reporter = ProgressReporter(
            context.progress, Timetable([.init("probe", pieces: missing.count, weight: 1, noun: "probe")]))
        reporter.at(ProgressUpdate(phase: "scoring channels"))
        func stopped(_ number: Int) -> RunStopped { RunStopped(reached: "probe \(number + 1) of \(probes.count)") }
        let work: SensitivityWork
        do {
            work = try SensitivityWork(
                pipeline, prepared.space, prepared.criterion, prepared.data, plan, context.interruption)
        } catch is Interruption.Requested { throw stopped(first) }
        for number in missing {
            guard !context.interruption.isRequested else { throw stopped(number) }
            func update(_ detail: String) -> ProgressUpdate {
                ProgressUpdate(
                    phase: "narrowing", unit: "probe", completed: number + 1, total: probes.count, detail: detail)
            }
            reporter.at(update(probes[number].name))
            let reading = try work.reading(of: probes[number])
            try cache.write(reading, number)
            readings[number] = reading
            reporter.finished(0, update("\(probes[number].name) \(reading.epsilon.significant(3))"))
        }
        return readings.compactMap(\.self)
    }

    private func result(_ prepared: Prepared, _ readings: [SensitivityReading]) throws -> SensitivityResult {
        let schedule = try pipeline.scheduler.trainTimesteps
        let curves = prepared.space.groups.map { group in
            plan.ratios.compactMap { ratio in
                readings.first { $0.kind == .group && $0.name == group.name && $0.ratio == ratio }
                    .map { (ratio: ratio, error: $0.epsilon) }
            }
        }
        return SensitivityResult(
            groups: prepared.space.groups.map {
                SensitivityResult.Group(name: $0.name, width: $0.width, isRemovable: $0.axis.isRemovable)
            }, plan: plan, timesteps: NoisePredictionErrors.spread(plan.timesteps, over: schedule),
            timestepCount: schedule,
            readings: readings, suggestion: try RatioSuggestion(curves, within: prepared.selection),
            madeBy: Provenance(command: context.command))
    }
}

/// What probes are made with: the dense model's channels in their order, and its predictions.
private struct SensitivityWork {
    let model: UNet
    let scores: Scores
    let reference: PredictionReference

    /// - Parameter interruption: looked at between the losses that scores are read from.
    init(
        _ pipeline: Pipeline, _ space: PruningSpace, _ criterion: any ImportanceCriterion, _ data: InMemoryDataset,
        _ plan: SensitivityPlan, _ interruption: Interruption? = nil
    ) throws {
        model = pipeline.model
        var settings = DenoisingTrainingConfiguration()
        (settings.batchSize, settings.seed) = (plan.calibrationBatchSize, plan.seed)
        let scheduler = try pipeline.scheduler
        let calibration = try TaskCalibration(
            Denoising(DenoisingObjective(scheduler)), network: model,
            batches: DenoisingBatches(data, flip: false, for: model, scheduler, settings),
            count: plan.calibrationBatches, batchSize: plan.calibrationBatchSize)
        let evidence = EvidenceSource(
            network: model, arena: ParameterArena(model.parameters),
            calibration: ObservedCalibration(calibration) { _ in try interruption?.check() })
        scores = try criterion.scores(at: Masks(space), from: evidence)
        try scores.check()
        reference = try PredictionReference(model, scheduler, data, plan)
    }

    /// The model with the lowest channels of the probe's groups removed, beside the whole one.
    func reading(of probe: SensitivityProbe) throws -> SensitivityReading {
        var masks = Masks(scores.space)
        for site in probe.sites {
            let values = scores[site]
            let leaving = values.count - probe.kept(of: values.count)
            let lowest = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }.prefix(leaving)
            for channel in lowest { masks.values[scores.space.ranges[site].lowerBound + channel] = 0 }
        }
        return try reference.reading(of: Compaction(model, masks: masks).network, probe)
    }
}

import Runs
import Training

/// Making what batches are taken from, where that is made on the way.
extension TrainingLoop {
    private static var supplyKind: String { "supply" }

    /// What is still to be made, for a timetable; nil for nothing.
    ///
    /// - Parameter calibrates: whether calibration batches are still to be taken.
    func supplyStretch(calibrates: Bool) -> Timetable.Stretch? {
        guard let supply = trainer.batches.supply else { return nil }
        var lots = supply.lots(for: trainer.step..<max(trainer.step, totalSteps)).filter { !supply.has(lot: $0) }
        if calibrates, !supply.canCalibrate, !lots.contains(0) { lots.append(0) }
        guard !lots.isEmpty else { return nil }
        return .init(
            Self.supplyKind, pieces: lots.count * supply.lotPieces, weight: Double(supply.pieceSamples),
            noun: supply.noun, count: lots.count * supply.lotSize)
    }

    /// Makes what the batches of `steps` are taken from, unless it is there.
    ///
    /// - Parameters:
    ///   - steps: on one lot.
    ///   - calibrates: whether calibration batches are to be taken too.
    ///   - stretch: of the reporter's timetable; nil where nothing is to be made.
    /// - Throws: `Interruption.Requested`; what the making throws.
    func makeSupply(
        for steps: Range<Int>, calibrates: Bool = false, _ reporter: ProgressReporter, _ stretch: Int?
    ) throws {
        guard let supply = trainer.batches.supply else { return }
        if calibrates, !supply.canCalibrate { try make(lot: 0, of: supply, reporter, stretch) }
        for lot in supply.lots(for: steps) where !supply.has(lot: lot) {
            try make(lot: lot, of: supply, reporter, stretch)
        }
    }

    private func make(lot: Int, of supply: any BatchSupply, _ reporter: ProgressReporter, _ stretch: Int?) throws {
        func update(_ done: Int) -> ProgressUpdate {
            ProgressUpdate(
                phase: "drawing", unit: supply.noun,
                completed: min(done * supply.lotSize / supply.lotPieces + 1, supply.lotSize), total: supply.lotSize)
        }
        reporter.at(update(0))
        try supply.make(lot: lot) { done in
            try interruption.check()
            if let stretch { reporter.finished(stretch, update(done)) }
        }
    }

    /// Makes a little of it, to see how long it takes and to try steps out on.
    func trySupply(_ reporter: ProgressReporter) throws {
        guard let supply = trainer.batches.supply else { return }
        var start = ProgressReporter.seconds()
        try supply.makeTrial {
            try interruption.check()
            let end = ProgressReporter.seconds()
            reporter.measure(Self.supplyKind, seconds: end - start)
            start = end
        }
    }

    /// What the largest supply, and batches that come again, take in memory.
    var supplyBytes: Int { (trainer.batches.supply?.lotBytes ?? 0) + trainer.batches.keptBytes }
}

import Files
import Foundation
import PruningMethods

/// What came of one run under a constant pressure.
struct LawRun: Equatable {
    /// γ_eff.
    let pressure: Double
    /// The fraction of the cost that was left after each epoch; at least one.
    let epochs: [Double]

    /// s: what was left at the end.
    var remaining: Double { epochs[epochs.count - 1] }

    /// How much of what was left when four fifths of the epochs were done has gone since, 0…1: near 0 where the
    /// pressure has done what it does.
    var drift: Double {
        let before = epochs[max(0, epochs.count * 4 / 5 - 1)]
        return before > 0 ? 1 - remaining / before : 0
    }

    /// What the log of a run says.
    ///
    /// - Parameters:
    ///   - pressure: γ_eff of the run.
    ///   - folder: the run's.
    /// - Throws: `LawError.noEpochs` for the log of another run, `StorageError`.
    init(pressure: Double, in folder: URL) throws {
        self.pressure = pressure
        let entries = try JSONLinesLog(folder.appendingPathComponent("metrics.jsonl")).entries()
        epochs = entries.compactMap { try? $0.decoded(as: MaskUpdateEntry.self).report.pressure?.remaining }
        guard !epochs.isEmpty else { throw LawError.noEpochs(path: folder.path) }
    }

    init(pressure: Double, epochs: [Double]) {
        self.pressure = pressure
        self.epochs = epochs
    }

    /// Whether the law can be told from it.
    ///
    /// - Parameter lowest: the fraction that stays whatever the pressure.
    func use(above lowest: Double) -> Use {
        if remaining > 0.995 { return .allThere }
        return remaining <= 1.02 * lowest ? .lowest : .fitted
    }

    enum Use: String {
        case fitted
        /// The pressure is too low for anything to leave.
        case allThere = "all there"
        /// No more may leave.
        case lowest
    }

    var json: JSONValue {
        [
            "pressure": .double(pressure), "remaining": .double(remaining), "drift": .double(drift),
            "epochs": .array(epochs.map { .double($0) }),
        ]
    }
}

/// What is wrong with a law's runs.
public enum LawError: Error, CustomStringConvertible {
    /// A run whose log tells of no epoch.
    case noEpochs(path: String)
    /// The folder's law is another one.
    case changed(path: String, differences: [String])

    public var description: String {
        switch self {
        case .noEpochs(let path): "\(path): not a run under a constant pressure: its metrics.jsonl tells of no epoch"
        case .changed(let path, let differences):
            "\(path): the law there cannot be gone on with, since not all is as it was when it began: "
                + differences.prefix(4).joined(separator: "; ")
                + (differences.count > 4 ? "; and \(differences.count - 4) more" : "")
        }
    }
}

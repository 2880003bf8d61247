import Files
import Foundation
import Imagery
import Reports

/// A study as far as it is done.
public struct StudyOutcome<Evaluation: StudyComparing> {
    let configuration: StudySettings<Evaluation>
    let runs: [(cell: StudyCell, state: StudyState)]
    let madeBy: Provenance
    let folder: URL

    init(_ configuration: StudySettings<Evaluation>, in folder: URL, command: String) throws {
        self.configuration = configuration
        self.folder = folder
        madeBy = Provenance(command: command)
        runs = try configuration.cells.map { ($0, try Self.state(of: $0.folder(in: folder))) }
    }

    private static func state(of folder: URL) throws -> StudyState {
        if let result = try StudyResult.read(from: folder) { return .done(result) }
        if FolderLock.isUsed(folder) { return .underWay }
        return try StudyFailure.read(from: folder).map { .failed($0) } ?? .open
    }

    /// Runs that ended without a result, with the reason.
    public var failures: [(cell: StudyCell, reason: String)] {
        runs.compactMap { run in
            if case .failed(let reason) = run.state { (run.cell, reason) } else { nil }
        }
    }

    /// Of all states.
    public var runCount: Int { runs.count }

    /// Runs that other processes have begun.
    public var underWay: Int { runs.count { if case .underWay = $0.state { true } else { false } } }

    private func method(of cell: StudyCell) -> String { configuration.methods[cell.name] ?? cell.name }

    func result(_ name: String, _ target: String, _ seed: Int) -> StudyResult? {
        let cell = StudyCell(name: name, target: target, seed: seed)
        guard case .done(let result)? = runs.first(where: { $0.cell == cell })?.state else { return nil }
        return result
    }

    // MARK: what is written

    public static var reportName: String { "report.html" }

    /// Writes `comparison.json`, `comparison.csv`, `report.html` and `contact-sheet.png`, the last only once there are
    /// pictures.
    func write(to study: URL) throws {
        let summary = try StudySummary(self)
        let sheet = try StudySheet.png(of: self, in: study)
        let page = try StudyReport(outcome: self, summary: summary, sheet: sheet).page()
        try Self.waiting {
            try OutputFolder.claiming(study, overwriting: true) {
                try StagedOutput.write(into: study) { folder in
                    try JSONFile.write(json(summary), to: folder.appendingPathComponent("comparison.json"))
                    try csv().write(to: folder.appendingPathComponent("comparison.csv"))
                    try page.write(to: folder.appendingPathComponent(Self.reportName))
                    if let sheet {
                        try AtomicFile.write(sheet, to: folder.appendingPathComponent("contact-sheet.png"))
                    }
                }
            }
        }
    }

    /// While another process writes its own, which is a matter of a moment.
    private static func waiting(_ write: () throws -> Void) throws {
        for _ in 0..<100 {
            do {
                return try write()
            } catch StorageError.inUse {
                usleep(100_000)
            }
        }
        try write()
    }

    private func csv() throws -> CSV {
        let compared = Evaluation.quantities.map(\.key) + Evaluation.readings.map(\.column)
        let rest = [
            "macs", "parameters", "weights", "time", "peak_memory", "file_bytes", "finetuning_steps", "seconds",
        ]
        var table = CSV(columns: ["name", "method", "target", "seed", "state"] + compared + rest)
        for (cell, state) in runs {
            var cells: [CSV.Cell] = [
                .text(cell.name), .text(method(of: cell)), .text(cell.target), .integer(cell.seed), .text(state.word),
            ]
            if case .done(let result) = state {
                let measures = result.measures
                func number(_ value: Double?) -> CSV.Cell { value.map { .number($0) } ?? .empty }
                cells += Evaluation.quantities.map { number(result.mean($0.key)) }
                cells += Evaluation.readings.map { number(measures.readings[$0.key]) }
                cells += [
                    .number(measures.macs), .number(measures.parameters),
                    number(measures.weights), .number(measures.time), .number(measures.memory),
                    .number(measures.bytes), .integer(result.finetuningSteps), .number(result.seconds),
                ]
            } else {
                cells += Array(repeating: .empty, count: compared.count + rest.count)
            }
            try table.append(cells)
        }
        return table
    }

    /// The contents of `comparison.json`.
    public func json() throws -> JSONValue { try json(StudySummary(self)) }

    private func json(_ summary: StudySummary) throws -> JSONValue {
        let runs: [JSONValue] = try self.runs.map { cell, state in
            var members: [String: JSONValue] = [
                "name": .string(cell.name), "method": .string(method(of: cell)),
                "target": .string(cell.target), "seed": .int(cell.seed), "state": .string(state.word),
                "folder": .string(cell.folder(in: URL(fileURLWithPath: "/")).path.dropFirst().description),
            ]
            switch state {
            case .done(let result):
                for quantity in Evaluation.quantities {
                    members[quantity.key] = result.mean(quantity.key).map { .double($0) } ?? .null
                }
                members["measures"] = try JSONValue(snakeCasing: result.measures)
                members["finetuning_steps"] = .int(result.finetuningSteps)
                members["seconds"] = .double(result.seconds)
            case .failed(let reason): members["reason"] = .string(reason)
            case .underWay, .open: break
            }
            return .object(members)
        }
        return [
            "schema": 1, "configuration": try configuration.values, "runs": .array(runs),
            "summary": .array(try summary.rowsJSON()), "differences": .array(summary.differencesJSON),
            "made_by": try JSONValue(encoding: madeBy),
        ]
    }
}

/// Where a run of a study stands.
enum StudyState {
    case done(StudyResult)
    case failed(String)
    /// Another process is at it.
    case underWay
    /// Nobody is, or any longer.
    case open
}

extension StudyState {
    /// As files spell it.
    var word: String {
        switch self {
        case .done: "done"
        case .failed: "failed"
        case .underWay: "under-way"
        case .open: "open"
        }
    }
}

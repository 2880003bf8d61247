import Files
import Foundation
import Runs
import Testing

@testable import Workflows

/// What a run folder holds at the end does not tell how often the run was interrupted.
@Suite struct ResumedRunTests {
    /// Steps between lines of the log and between checkpoints, in all the ways they can lie to each other.
    @Test(arguments: [(1, 4), (2, 4), (3, 4), (5, 2), (7, 3), (20, 3), (4, 20)])
    func theLogIsTheSameForAnyIntervals(logEvery: Int, checkpointEvery: Int) throws {
        let runs = try RunFixtures()
        let intervals = ["log_every=\(logEvery)", "checkpoint_every=\(checkpointEvery)"]
        try runs.train("whole", intervals[0], intervals[1])
        let steps = (1...13).filter { $0 % logEvery == 0 || $0 == 13 }
        let logged = try JSONLinesLog(runs.path("whole/metrics.jsonl")).entries()
        #expect(logged.compactMap { $0["step"]?.intValue } == steps)
        #expect(Set(try EventScalars.read(runs.path("whole")).map { Int($0.step) }) == Set(steps))

        // Ended early and made longer, twice.
        for steps in [3, 10, 13] {
            try runs.train("longer", resuming: true, intervals[0], intervals[1], "steps=\(steps)")
        }
        try runs.expectSame("longer", "whole")

        // Killed at the end: the logs are ahead of every checkpoint but the last, or of all.
        let manager = FileManager.default
        try manager.copyItem(at: runs.path("whole"), to: runs.path("killed"))
        try manager.removeItem(at: runs.path("killed/model"))
        for checkpoint in try runs.names("killed/checkpoints").reversed() {
            try manager.removeItem(at: runs.path("killed/checkpoints/\(checkpoint)"))
            let torn = try FileHandle(forWritingTo: runs.path("killed/metrics.jsonl"))
            try torn.seekToEnd()
            try torn.write(contentsOf: Data("{\"step\": 14, \"lo".utf8))
            try torn.close()
            try runs.train("killed", resuming: true, intervals[0], intervals[1])
            try runs.expectSame("killed", "whole")
            try manager.removeItem(at: runs.path("killed/model"))
        }
    }

    @Test func meansOfTheLogAreOverWholeIntervals() throws {
        let runs = try RunFixtures()
        try runs.train("each", "log_every=1", "checkpoint_every=3")
        for steps in [3, 13] {
            try runs.train("third", resuming: true, "log_every=5", "checkpoint_every=3", "steps=\(steps)")
        }
        func losses(_ name: String) throws -> [Double] {
            try JSONLinesLog(runs.path("\(name)/metrics.jsonl")).entries().compactMap { $0["loss"]?.doubleValue }
        }
        let each = try losses("each")
        let means = [each[0..<5], each[5..<10], each[10..<13]].map { $0.reduce(0, +) / Double($0.count) }
        for (got, expected) in zip(try losses("third"), means) { #expect(abs(got - expected) < 1e-12) }
    }

    @Test func aDamagedCheckpointIsPassedOverAndSaidSo() throws {
        let runs = try RunFixtures()
        try runs.train("whole")
        try FileManager.default.copyItem(at: runs.path("whole"), to: runs.path("damaged"))
        try runs.reopen("damaged")
        let newest = runs.path("damaged/checkpoints/step-000013/state.safetensors")
        try Data(runs.data("damaged/checkpoints/step-000013/state.safetensors").dropLast(3)).write(to: newest)
        nonisolated(unsafe) var warnings: [String] = []
        try runs.train("damaged", resuming: true, warning: { warnings.append($0) })
        #expect(warnings.count == 1 && warnings[0].contains("step 13"))
        try runs.expectSame("damaged", "whole")

        try runs.reopen("damaged")
        // With none whole it would be another run, and what the checkpoints hold would be lost.
        for name in try runs.names("damaged/checkpoints") {
            try Data("{}".utf8).write(to: runs.path("damaged/checkpoints/\(name)/state.json"))
        }
        let before = try runs.names("damaged/checkpoints")
        #expect(throws: RunFolder.Failure.self) { try runs.train("damaged", resuming: true) }
        #expect(try runs.names("damaged/checkpoints") == before)
    }

    /// The log's lines cannot be had again without the steps behind them, so what a checkpoint counts on must be there,
    /// also where the run is over or has nothing left to train.
    @Test(arguments: ["finished", "at its last checkpoint", "under way", "to be made longer"])
    func aLogThatLacksWhatTheCheckpointCountsOnIsRefused(state: String) throws {
        let runs = try RunFixtures()
        let manager = FileManager.default
        // Lines at 2, 4 … 12 and 13, checkpoints at 8, 12 and 13.
        try runs.train("whole", "log_every=2")
        try manager.copyItem(at: runs.path("whole"), to: runs.path("run"))
        let counted = state == "finished" ? 7 : 6
        if state != "finished" { try runs.reopen("run") }
        if state == "under way" {
            try manager.removeItem(at: runs.path("run/checkpoints/step-000013"))
        }
        let steps = state == "to be made longer" ? "steps=20" : "steps=13"
        let lines = try runs.text("whole/metrics.jsonl").split(separator: "\n").map { $0 + "\n" }
        #expect(lines.count == 7)
        func content() throws -> [String: Data] {
            var content: [String: Data] = [:]
            for name in try manager.subpathsOfDirectory(atPath: runs.path("run").path) {
                content[name] = try? runs.data("run/\(name)")
            }
            return content
        }
        func expectRefused(_ log: String?, _ expected: LogMarkError) throws {
            unlink(runs.path("run/metrics.jsonl").path)
            if let log { try Data(log.utf8).write(to: runs.path("run/metrics.jsonl")) }
            let before = try content()
            #expect(throws: expected) { try runs.train("run", resuming: true, "log_every=2", steps) }
            #expect(try content() == before)
        }
        let path = runs.path("run/metrics.jsonl").path
        try expectRefused(nil, .shortened(path: path, lines: nil, expected: counted))
        try expectRefused("", .shortened(path: path, lines: 0, expected: counted))
        try expectRefused(lines.prefix(5).joined(), .shortened(path: path, lines: 5, expected: counted))
        // One line fewer, and yet as many as the checkpoint counts on.
        try expectRefused(lines.dropFirst().joined(), .altered(path: path, lines: counted))
        try expectRefused(
            lines.joined().replacingOccurrences(of: "\"step\": 4", with: "\"step\": 5"),
            .altered(path: path, lines: counted))

        // What came after the checkpoint is had again.
        for log in [lines.joined(), lines.prefix(6).joined(), lines.prefix(6).joined() + "{\"st"]
        where state != "finished" && steps == "steps=13" {
            try Data(log.utf8).write(to: runs.path("run/metrics.jsonl"))
            try runs.train("run", resuming: true, "log_every=2", steps)
            try runs.expectSame("run", "whole")
            try runs.reopen("run")
        }
    }

    @Test func twoProcessesDoNotShareARun() throws {
        let runs = try RunFixtures()
        try runs.train("run")
        let lock = try FolderLock(runs.path("run"))
        #expect(throws: StorageError.inUse(path: runs.path("run").path)) { try runs.train("run", resuming: true) }
        withExtendedLifetime(lock) {}
    }
}

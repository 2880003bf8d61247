import Files
import Foundation
import ModelFolders
import Reports
import Runs
import Testing
import WeightFiles

@testable import Workflows

/// Run folders whose record or checkpoint is whole, by its digests, and yet says what it likes.
@Suite struct RunFolderFuzzTests {
    @Test func checkpointsOfATraining() throws {
        let runs = try RunFixtures()
        try runs.train("run", "steps=4")
        try runs.reopen("run")
        let store = CheckpointStore(folder: runs.path("run/checkpoints"))
        let good = try store.load(step: 4)
        let tensors = try good.tensors.names.map {
            NamedTensor($0, shape: try good.tensors.shape(of: $0), floats: try good.tensors.floats($0))
        }
        var (resumed, refused) = (0, 0)
        func attempt(_ tensors: [NamedTensor], _ state: JSONValue) throws {
            try store.save(step: 4, tensors: tensors, state: state)
            let goes = Hostile.survives("\(state)") { try runs.train("run", resuming: true, "steps=4") }
            if goes { resumed += 1 } else { refused += 1 }
            try store.discard(after: 4)
            // A log that was cut is made whole again.
            try FileManager.default.removeItem(at: runs.path("run"))
            try FileManager.default.copyItem(at: runs.path("copy"), to: runs.path("run"))
        }
        try FileManager.default.copyItem(at: runs.path("run"), to: runs.path("copy"))
        for variant in Hostile.variants(of: good.state) { try attempt(tensors, variant) }
        for index in tensors.indices {
            var fewer = tensors
            fewer.remove(at: index)
            try attempt(fewer, good.state)
            fewer.insert(NamedTensor(tensors[index].name, shape: [3], floats: [1, .nan, .infinity]), at: index)
            try attempt(fewer, good.state)
            fewer[index] = NamedTensor(tensors[index].name, shape: [1], integers: [1])
            try attempt(fewer, good.state)
        }
        print("FUZZ checkpoint resumed \(resumed) refused \(refused)")
        #expect(resumed > 5 && refused > 100)
    }

    /// One step more would not have been counted.
    @Test func aCheckpointThatCountsStepsThatWereNotDoneIsRefused() throws {
        let runs = try RunFixtures()
        try runs.train("run", "steps=4", "log_every=100")
        let store = CheckpointStore(folder: runs.path("run/checkpoints"))
        let good = try store.load(step: 4)
        let tensors = try good.tensors.names.map {
            NamedTensor($0, shape: try good.tensors.shape(of: $0), floats: try good.tensors.floats($0))
        }
        for (key, counter) in [("log", "count"), ("counts", "step"), ("counts", "optimizer_step")] {
            for count in [-1, 5, Int.max] {
                var state = try #require(good.state.objectValue)
                var part = try #require(state[key]?.objectValue)
                try #require(part[counter] == 4)
                part[counter] = .int(count)
                state[key] = .object(part)
                try store.save(step: 4, tensors: tensors, state: .object(state))
                #expect(throws: CheckpointError.self) {
                    try runs.train("run", resuming: true, "steps=9", "log_every=100")
                }
            }
        }
    }

    @Test(arguments: ["vanilla-iterative", "gradient-flow"]) func checkpointsOfAPruning(method: String) throws {
        let runs = try RunFixtures()
        try runs.train("dense", "steps=2")
        let configuration = try PruningRunConfiguration(
            file: nil,
            overrides: [
                "finetuning.steps=4", "finetuning.keep_checkpoints=true", "finetuning.batch_size=2",
                "pruning.calibration_batches=1",
                "pruning.calibration_batch_size=2", "method.rounds=3", "pruning.target=macs=0.7",
            ], method: method, data: runs.images.path)
        func prune(resuming: Bool) throws {
            _ = try PruningWorkflow(
                configuration, pipeline: PipelineFolder(runs.path("dense/model")).load(),
                in: RunContext(output: runs.path("run"), occupied: resuming ? .resumed : .refused)
            ).run()
        }
        try prune(resuming: false)
        try runs.reopen("run")
        let step = try #require(try CheckpointStore(folder: runs.path("run/checkpoints")).steps().first)
        let good = try CheckpointStore(folder: runs.path("run/checkpoints")).load(step: step)
        try CheckpointStore(folder: runs.path("run/checkpoints")).discard(after: step)
        let tensors = try good.tensors.names.map {
            NamedTensor($0, shape: try good.tensors.shape(of: $0), floats: try good.tensors.floats($0))
        }
        try FileManager.default.copyItem(at: runs.path("run"), to: runs.path("copy"))
        var (resumed, refused) = (0, 0)
        func attempt(_ tensors: [NamedTensor], _ state: JSONValue) throws {
            try FileManager.default.removeItem(at: runs.path("run"))
            try FileManager.default.copyItem(at: runs.path("copy"), to: runs.path("run"))
            let store = CheckpointStore(folder: runs.path("run/checkpoints"))
            try store.save(step: step, tensors: tensors, state: state)
            if Hostile.survives("\(state)", { try prune(resuming: true) }) { resumed += 1 } else { refused += 1 }
        }
        for variant in Hostile.variants(of: good.state) { try attempt(tensors, variant) }
        for (index, tensor) in tensors.enumerated() {
            var fewer = tensors
            fewer.remove(at: index)
            try attempt(fewer, good.state)
            let values = try good.tensors.floats(tensor.name)
            for (number, change) in [Float.nan, -1, 0.5, 2, .infinity, 1e9].enumerated() {
                var changed = values
                changed[number * (values.count - 1) / 5] = change
                fewer.append(NamedTensor(tensor.name, shape: [changed.count], floats: changed))
                try attempt(fewer, good.state)
                fewer.removeLast()
            }
            for count in [0, 3] {
                let short = Array(repeating: Float(1), count: count)
                try attempt(fewer + [NamedTensor(tensor.name, shape: [count], floats: short)], good.state)
            }
        }
        print("FUZZ \(method) checkpoint resumed \(resumed) refused \(refused)")
        #expect(resumed > 5 && refused > 100)
    }

    @Test func records() throws {
        let runs = try RunFixtures()
        try runs.train("run", "steps=2")
        let url = runs.path("run/run.json")
        let good = try JSONFile.read(url)
        var refused = 0
        for variant in Hostile.variants(of: good) where variant != good {
            try JSONFile.write(variant, to: url)
            if !Hostile.survives("\(variant)", { try runs.train("run", resuming: true, "steps=2") }) { refused += 1 }
        }
        print("FUZZ record refused \(refused)")
        #expect(refused > 300)
    }

    /// Reports show what a run logged, whatever that is.
    @Test func histories() throws {
        let entry: JSONValue = [
            "update": 1, "density": 0.5, "softness": 0.1, "energy": 0.3, "calibration_loss": 0.2, "recovered": 1,
            "removed": 2, "step": 4, "loss": 0.25, "widths": [3.5, 8],
        ]
        let groups = [HistorySection.Group(name: "a", width: 4), .init(name: "b", width: 8)]
        for variant in Hostile.variants(of: entry) {
            for others in [[], [entry], [variant, entry]] {
                _ = Hostile.survives("\(variant)") {
                    var page = HTMLReport(title: "history")
                    page.sections = [
                        HistorySection(RunHistory(others + [variant], configuration: ""), groups: groups).section()
                    ]
                    if page.html.isEmpty { Issue.record("there is no page") }
                }
            }
        }
    }
}

import Files
import Foundation
import TestSupport
import Testing
import WeightFiles

@Suite struct CheckpointStoreTests {
    private func save(_ store: CheckpointStore, _ step: Int) throws {
        try store.save(
            step: step,
            tensors: [
                NamedTensor("weights", shape: [3], floats: [Float(step), .nan, -0.0]),
                NamedTensor("rng", shape: [2], integers: [Int64(bitPattern: .max), Int64(bitPattern: 1 << 63 + 1)]),
            ], state: ["seed": .string(String(UInt64.max)), "loss": 0.1, "step": .int(step)])
    }

    private func withStore(_ body: (CheckpointStore) throws -> Void) throws {
        try withTemporaryFolder { try body(CheckpointStore(folder: $0.appendingPathComponent("checkpoints"))) }
    }

    @Test func everythingComesBackExactly() throws {
        try withStore { store in
            #expect(try store.latest().checkpoint == nil)
            try save(store, 12)
            let (checkpoint, skipped) = try store.latest()
            #expect(skipped.isEmpty)
            let latest = try #require(checkpoint)
            #expect(latest.step == 12)
            #expect(latest.url.lastPathComponent == "step-000012")
            let expected: [Float] = [12, .nan, -0.0]
            #expect(try latest.tensors.floats("weights").map(\.bitPattern) == expected.map(\.bitPattern))
            #expect(try latest.tensors.integers("rng").map { UInt64(bitPattern: $0) } == [.max, 1 << 63 + 1])
            #expect(latest.state == ["seed": "18446744073709551615", "loss": 0.1, "step": 12])
        }
    }

    @Test func theLastTwoStay() throws {
        try withStore { store in
            for step in [0, 5, 999_999, 1_000_000, 1_000_000] { try save(store, step) }
            #expect(try store.steps() == [999_999, 1_000_000])
            #expect(try contents(store.folder) == ["step-1000000", "step-999999"])
            #expect(try store.latest().checkpoint?.step == 1_000_000)
            #expect(try store.load(step: 999_999).step == 999_999)
            #expect(throws: StorageError.self) { try store.load(step: 5) }
            #expect(error(CheckpointError.self) { try save(store, -1) } == .invalidStep(-1))
        }
    }

    @Test func goingBackInTime() throws {
        try withStore { store in
            try save(store, 10)
            try save(store, 20)
            try store.discard(after: 10)
            #expect(try store.steps() == [10])
            try save(store, 15)
            #expect(try store.latest().checkpoint?.step == 15)
        }
    }

    @Test func anyDamagedByteIsSkippedAndSaidSo() throws {
        try withStore { store in
            try save(store, 1)
            try save(store, 2)
            for name in ["state.safetensors", "state.json"] {
                let url = store.folder.appendingPathComponent("step-000002/\(name)")
                let bytes = try Data(contentsOf: url)
                let state = try store.load(step: 2).state
                for index in bytes.indices {
                    var changed = bytes
                    changed[index] ^= 0x10
                    try changed.write(to: url)
                    let (checkpoint, skipped) = try store.latest()
                    // Blanks between the state's values may change: they mean nothing.
                    if name == "state.json", checkpoint?.step == 2, checkpoint?.state == state { continue }
                    #expect(checkpoint?.step == 1)
                    #expect(skipped.map(\.step) == [2])
                }
                for length in 0..<(bytes.count - 1) {
                    try bytes.prefix(length).write(to: url)
                    #expect(try store.latest().checkpoint?.step == 1)
                }
                try FileManager.default.removeItem(at: url)
                let (checkpoint, skipped) = try store.latest()
                #expect(checkpoint?.step == 1)
                #expect(skipped.first?.description.contains(name) == true)
                try bytes.write(to: url)
                #expect(try store.latest().checkpoint?.step == 2)
            }
        }
    }

    @Test func theRemainsOfKilledRunsAreClearedUp() throws {
        try withStore { store in
            try save(store, 1)
            try save(store, 2)
            let manager = FileManager.default
            // Killed while step 2 was being replaced, step 3 written and step 0 deleted; and things that are not ours.
            let folder = store.folder
            try manager.moveItem(
                at: folder.appendingPathComponent("step-000002"),
                to: folder.appendingPathComponent(".step-000002.retired"))
            for name in [".step-000002.partial", ".step-000003.partial", ".step-000000.partial", "step-3", "notes"] {
                try manager.createDirectory(at: folder.appendingPathComponent(name), withIntermediateDirectories: false)
            }
            #expect(try store.latest().checkpoint?.step == 2)
            #expect(try contents(folder) == ["notes", "step-000001", "step-000002", "step-3"])
        }
    }

    @Test func aFailedSaveLeavesTheFormerCheckpoints() throws {
        try withStore { store in
            try save(store, 1)
            try save(store, 2)
            #expect(throws: SafetensorsError.self) {
                try store.save(step: 3, tensors: [NamedTensor("a", shape: [2], floats: [1])], state: nil)
            }
            #expect(throws: StorageError.self) {
                try store.save(step: 3, tensors: [], state: .double(.nan))
            }
            #expect(try contents(store.folder) == ["step-000001", "step-000002"])
        }
    }
}

import TestSupport
import Files
import Foundation
import Runs
import Testing

@testable import Workflows

/// Runs of a few steps on a model and images that take no time.
final class RunFixtures {
    private let folder: TemporaryFolder

    var url: URL { folder.url }

    init() throws {
        folder = try TemporaryFolder(inMemory: true)
        var bytes: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 12, 0, 0, 0, 4, 0, 0, 0, 4]
        for place in 0..<(12 * 16) { bytes.append(UInt8(place * 29 % 251)) }
        try Data(bytes).write(to: images)
        try Data(
            """
            model: {sample_size: 4, in_channels: 1, out_channels: 1, block_out_channels: [8], norm_num_groups: 4,
              down_block_types: [DownBlock2D], up_block_types: [UpBlock2D], layers_per_block: 1, attention_head_dim: 8}
            data: {path: "\(images.path)"}
            training: {batch_size: 3, steps: 13, sample_every: 5, ema: 0.9, checkpoint_every: 4,
              keep_checkpoints: true}
            """.utf8
        ).write(to: configuration)
    }

    var images: URL { url.appendingPathComponent("images-idx3-ubyte") }
    var configuration: URL { url.appendingPathComponent("config.yaml") }

    func path(_ name: String) -> URL { url.appendingPathComponent(name) }
    func data(_ name: String) throws -> Data { try Data(contentsOf: path(name)) }
    func text(_ name: String) throws -> String { String(decoding: try data(name), as: UTF8.self) }
    func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path(folder).path).sorted()
    }

    func train(_ name: String, resuming: Bool = false, warning: WarningHandler? = nil, _ overrides: String...) throws {
        try train(
            in: RunContext(output: path(name), occupied: resuming ? .resumed : .refused, warning: warning), overrides)
    }

    func train(in context: RunContext, _ overrides: [String]) throws {
        try TrainingWorkflow(
            TrainingRunConfiguration(file: configuration, overrides: overrides.map { "training.\($0)" }), in: context
        ).run()
    }

    /// Puts a run that was done, and kept its checkpoints, back to where its model was not written yet.
    func reopen(_ name: String) throws {
        let record = RunRecord(folder: path(name))
        var content = try #require(try record.read())
        content.finished = nil
        try record.write(content)
        try FileManager.default.removeItem(at: path("\(name)/model"))
    }

    /// Runs `run` again and again, each time asked to stop at the `every`th piece of news, until it is done. Where it
    /// comes no further so, it is given more time.
    ///
    /// - Returns: what it said it had reached, each time.
    func advance(
        _ name: String, stoppingAt every: Int, _ run: (RunContext) throws -> Void
    ) throws -> [String] {
        let output = path(name)
        var stops: [String] = []
        var patience = every
        while stops.count < 200 {
            let interruption = Interruption()
            var news = 0
            let context = RunContext(
                output: output, occupied: stops.isEmpty ? .refused : .resumed, interruption: interruption,
                progress: { _ in
                    news += 1
                    if news == patience { interruption.request() }
                })
            do {
                try OutputClaim.holding(output) { try run(context) }
                return stops
            } catch let stop as RunStopped {
                patience = stop.reached == stops.last ? patience + every : every
                stops.append(stop.reached)
            }
        }
        Issue.record("it never came to an end: \(stops)")
        return stops
    }

    /// What a run's result says of its pruning, apart from when and by which command it was written.
    func record(_ name: String) throws -> JSONValue {
        let json = try JSONFile.read(path("\(name)/model/pruning.json"))
        var members = try #require(json.objectValue)
        #expect(members.removeValue(forKey: "made_by") != nil)
        return .object(members)
    }

    /// Fails unless two run folders hold the same, apart from times and what names the folder.
    func expectSame(_ one: String, _ other: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let weights = "model/unet/diffusion_pytorch_model.safetensors"
        for file in [weights, "metrics.jsonl", "config.yaml", "run.json"] {
            #expect(try data("\(one)/\(file)") == data("\(other)/\(file)"), "\(file)", sourceLocation: sourceLocation)
        }
        #expect(try names("\(one)/samples") == names("\(other)/samples"), sourceLocation: sourceLocation)
        for name in try names("\(one)/samples") {
            #expect(
                try data("\(one)/samples/\(name)") == data("\(other)/samples/\(name)"), "\(name)",
                sourceLocation: sourceLocation)
        }
        #expect(
            try EventScalars.read(path(one)) == EventScalars.read(path(other)), "event files",
            sourceLocation: sourceLocation)
    }
}

/// The numbers in a run's event files, in the order in which TensorBoard reads the files.
struct EventScalars: Equatable {
    let tag: String
    let step: UInt64
    let value: Float

    static func read(_ run: URL) throws -> [EventScalars] {
        try FileManager.default.contentsOfDirectory(atPath: run.path).filter { $0.hasPrefix("events.out.tfevents.") }
            .sorted().flatMap { try read(file: run.appendingPathComponent($0)) }
    }

    private static func read(file: URL) throws -> [EventScalars] {
        let records = try #require(try EventRecord.read(file), "a torn record in \(file.lastPathComponent)")
        return records.compactMap { record in
            let event = ProtobufField.read(record.event)
            guard let entry = event[5]?.fields[1]?.fields, case .bytes(let tag) = entry[1],
                case .fixed32(let value) = entry[2]
            else { return nil }
            // A step of 0 is not written.
            let step = if case .varint(let number) = event[2] { number } else { UInt64(0) }
            return EventScalars(tag: String(decoding: tag, as: UTF8.self), step: step, value: Float(bitPattern: value))
        }
    }
}

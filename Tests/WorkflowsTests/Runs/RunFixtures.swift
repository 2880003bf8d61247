import Foundation
import Runs
import Testing

@testable import Workflows

/// Runs of a few steps on a model and images that take no time.
final class RunFixtures {
    let url: URL

    init() throws {
        url = Hostile.folder()
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        var bytes: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 12, 0, 0, 0, 4, 0, 0, 0, 4]
        for place in 0..<(12 * 16) { bytes.append(UInt8(place * 29 % 251)) }
        try Data(bytes).write(to: images)
        try Data(
            """
            model: {sample_size: 4, in_channels: 1, out_channels: 1, block_out_channels: [8], norm_num_groups: 4,
              down_block_types: [DownBlock2D], up_block_types: [UpBlock2D], layers_per_block: 1, attention_head_dim: 8}
            data: {path: "\(images.path)"}
            training: {batch_size: 3, steps: 13, sample_every: 5, ema: 0.9, checkpoint_every: 4}
            """.utf8
        ).write(to: configuration)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    var images: URL { url.appendingPathComponent("images-idx3-ubyte") }
    var configuration: URL { url.appendingPathComponent("config.yaml") }

    func path(_ name: String) -> URL { url.appendingPathComponent(name) }
    func data(_ name: String) throws -> Data { try Data(contentsOf: path(name)) }
    func text(_ name: String) throws -> String { String(decoding: try data(name), as: UTF8.self) }
    func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path(folder).path).sorted()
    }

    func train(_ name: String, resuming: Bool = false, warning: WarningHandler? = nil, _ overrides: String...) throws {
        try TrainingWorkflow(
            TrainingRunConfiguration(file: configuration, overrides: overrides.map { "training.\($0)" }),
            output: path(name), resuming: resuming, warning: warning
        ).run()
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
        var rest = [UInt8](try Data(contentsOf: file))[...]
        var scalars: [EventScalars] = []
        while !rest.isEmpty {
            let length = rest.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
            try #require(rest.count >= length + 16, "a torn record in \(file.lastPathComponent)")
            let event = fields(rest.dropFirst(12).prefix(length))
            rest = rest.dropFirst(length + 16)
            guard let summary = event[5], let entry = fields(summary.bytes)[1].map({ fields($0.bytes) }),
                let tag = entry[1], let value = entry[2]
            else { continue }
            scalars.append(
                EventScalars(
                    tag: String(decoding: tag.bytes, as: UTF8.self), step: event[2]?.number ?? 0,
                    value: Float(bitPattern: UInt32(value.number))))
        }
        return scalars
    }

    private static func fields(_ message: ArraySlice<UInt8>) -> [UInt64: (number: UInt64, bytes: ArraySlice<UInt8>)] {
        var rest = message
        func varint() -> UInt64 {
            var (value, shift): (UInt64, UInt64) = (0, 0)
            while let byte = rest.popFirst() {
                value |= UInt64(byte & 0x7f) << shift
                shift += 7
                if byte < 0x80 { break }
            }
            return value
        }
        var result: [UInt64: (number: UInt64, bytes: ArraySlice<UInt8>)] = [:]
        while !rest.isEmpty {
            let key = varint()
            if key & 7 == 0 {
                result[key >> 3] = (varint(), [])
                continue
            }
            let length = key & 7 == 1 ? 8 : key & 7 == 5 ? 4 : Int(varint())
            let bytes = rest.prefix(length)
            rest = rest.dropFirst(bytes.count)
            result[key >> 3] = (bytes.count > 8 ? 0 : bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }, bytes)
        }
        return result
    }
}

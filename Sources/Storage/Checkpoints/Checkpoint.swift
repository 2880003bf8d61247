import Foundation

/// A checkpoint that has been found whole.
public struct Checkpoint: Sendable {
    public let step: Int
    public let url: URL
    /// The arrays, read when asked for.
    public let tensors: SafetensorsFile
    /// Everything else.
    public let state: JSONValue

    static let tensorsName = "state.safetensors"
    static let stateName = "state.json"
    static let format = 1

    /// Opens the checkpoint in the folder `url` and compares its checksum.
    /// - Throws: `StorageError`, `SafetensorsError` or `CheckpointError.damaged`.
    init(at url: URL, step: Int) throws {
        let document = try JSONFile.read(url.appendingPathComponent(Self.stateName))
        func damaged(_ reason: String) -> CheckpointError { .damaged(path: url.path, reason: reason) }

        guard let format = document["format"]?.intValue, format == Self.format else {
            throw damaged("\(Self.stateName) is not of format \(Self.format)")
        }
        guard document["step"]?.intValue == step else { throw damaged("\(Self.stateName) is not of step \(step)") }
        guard let state = document["state"], let checksum = document["tensors_checksum"]?.stringValue else {
            throw damaged("\(Self.stateName) has no 'state' or no 'tensors_checksum'")
        }
        let tensorsURL = url.appendingPathComponent(Self.tensorsName)
        guard try Checksum.of(RegularFile(tensorsURL)) == checksum else {
            throw damaged("\(Self.tensorsName) does not have the checksum it was written with")
        }
        self.step = step
        self.url = url
        self.state = state
        tensors = try SafetensorsFile(contentsOf: tensorsURL)
    }

    /// Fills the folder `url` with a checkpoint.
    static func write(step: Int, tensors: [NamedTensor], state: JSONValue, to url: URL) throws {
        let tensorsURL = url.appendingPathComponent(tensorsName)
        try SafetensorsWriter.write(tensors, to: tensorsURL)
        let document: JSONValue = [
            "format": .int(format),
            "step": .int(step),
            "tensors_checksum": .string(try Checksum.of(RegularFile(tensorsURL))),
            "state": state,
        ]
        try JSONFile.write(document, to: url.appendingPathComponent(stateName))
    }
}

/// What is wrong with a checkpoint.
public enum CheckpointError: Error, Equatable, CustomStringConvertible {
    case damaged(path: String, reason: String)
    case invalidStep(Int)

    public var description: String {
        switch self {
        case .damaged(let path, let reason): "\(path): damaged checkpoint: \(reason)"
        case .invalidStep(let step): "checkpoints are numbered from 0, got \(step)"
        }
    }
}

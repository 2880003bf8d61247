import Files
import Foundation

/// A checkpoint that has been found whole.
public struct Checkpoint: Sendable {
    public let step: Int
    public let url: URL
    /// The arrays, read when asked for.
    public let tensors: SafetensorsFile
    /// Everything else.
    public let state: JSONValue

    package static let tensorsName = "state.safetensors"
    package static let stateName = "state.json"
    package static let format = 3

    /// Opens the checkpoint in the folder `url` and compares its digests.
    /// - Throws: `StorageError`, `SafetensorsError` or `CheckpointError.damaged`.
    package init(at url: URL, step: Int) throws {
        let document = try JSONFile.read(url.appendingPathComponent(Self.stateName))
        func damaged(_ reason: String) -> CheckpointError { .damaged(path: url.path, reason: reason) }

        guard let format = document["format"]?.intValue, format == Self.format else {
            throw damaged("\(Self.stateName) is not of format \(Self.format)")
        }
        guard document["step"]?.intValue == step else { throw damaged("\(Self.stateName) is not of step \(step)") }
        guard let state = document["state"], try Self.digest(of: state) == document["state_sha256"]?.stringValue else {
            throw damaged("\(Self.stateName) is not as it was written")
        }
        let tensorsURL = url.appendingPathComponent(Self.tensorsName)
        guard try SHA256.digest(of: RegularFile(tensorsURL)) == document["tensors_sha256"]?.stringValue else {
            throw damaged("\(Self.tensorsName) is not as it was written")
        }
        self.step = step
        self.url = url
        self.state = state
        tensors = try SafetensorsFile(contentsOf: tensorsURL)
    }

    /// Fills the folder `url` with a checkpoint.
    package static func write(step: Int, tensors: [NamedTensor], state: JSONValue, to url: URL) throws {
        let tensorsURL = url.appendingPathComponent(tensorsName)
        try SafetensorsWriter.write(tensors, to: tensorsURL)
        let document: JSONValue = [
            "format": .int(format),
            "step": .int(step),
            "tensors_sha256": .string(try SHA256.digest(of: RegularFile(tensorsURL))),
            "state_sha256": .string(try digest(of: state)),
            "state": state,
        ]
        try JSONFile.write(document, to: url.appendingPathComponent(stateName))
    }

    /// - Throws: `StorageError.json` for a number that is not finite.
    private static func digest(of state: JSONValue) throws -> String {
        var hash = SHA256()
        do {
            hash.update(try state.text(.compact))
        } catch let error as JSONError {
            throw StorageError.json(file: stateName, error)
        }
        return hash.digest()
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

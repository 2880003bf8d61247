import Files
import Foundation

/// `run.json` of a run folder: what the run began with.
package struct RunRecord {
    package let url: URL

    private static let schema = 1

    package init(folder: URL) { url = folder.appendingPathComponent("run.json") }

    package func write(_ identity: RunIdentity) throws {
        try JSONFile.write(
            [
                "schema": .int(Self.schema),
                "command": .string(identity.command),
                "configuration": identity.configuration,
                "inputs": .object(identity.inputs.mapValues { .object($0.mapValues { .string($0) }) }),
            ], to: url)
    }

    /// nil where there is no such file.
    /// - Throws: `StorageError`, `RunFolder.Failure.badRecord`.
    package func read() throws -> RunIdentity? {
        guard try FileKind(reading: url, followingLinks: false) != .nothing else { return nil }
        let document = try JSONFile.read(url)
        func bad(_ key: String) -> RunFolder.Failure { .badRecord(path: url.path, key: key) }
        guard document["schema"]?.intValue == Self.schema else { throw bad("schema") }
        guard let command = document["command"]?.stringValue else { throw bad("command") }
        guard let configuration = document["configuration"] else { throw bad("configuration") }
        guard let inputs = try? document["inputs"]?.decoded(as: [String: [String: String]].self) else {
            throw bad("inputs")
        }
        return RunIdentity(command: command, configuration: configuration, inputs: inputs)
    }
}

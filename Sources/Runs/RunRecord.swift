import Files
import Foundation

/// `run.json` of a run folder: what the run began with, where that lay, and whether the run is done.
package struct RunRecord {
    package struct Content {
        package var identity: RunIdentity
        /// Absolute paths of what the run works on, by name. They are not compared: contents are.
        package var places: [String: String] = [:]
        /// What was asked for beside the configuration, by flag. It is not compared: it may be asked for anew.
        package var flags: [String: String] = [:]
        /// What the log held when the run was done; nil before.
        package var finished: LogMark?

        package init(
            identity: RunIdentity, places: [String: String] = [:], flags: [String: String] = [:],
            finished: LogMark? = nil
        ) {
            self.identity = identity
            self.places = places
            self.flags = flags
            self.finished = finished
        }
    }

    package let url: URL

    /// That of what configurations hold, too: no other version's runs are gone on with.
    private static let schema = 2

    package init(folder: URL) { url = folder.appendingPathComponent("run.json") }

    package func write(_ content: Content) throws {
        let identity = content.identity
        var members: [String: JSONValue] = [
            "schema": .int(Self.schema),
            "command": .string(identity.command),
            "configuration": identity.configuration,
            "inputs": .object(identity.inputs.mapValues { .object($0.mapValues { .string($0) }) }),
            "places": .object(content.places.mapValues { .string($0) }),
            "flags": .object(content.flags.mapValues { .string($0) }),
        ]
        if let finished = content.finished { members["finished"] = ["metrics": try JSONValue(encoding: finished)] }
        try JSONFile.write(.object(members), to: url)
    }

    /// What made the run, whichever version of the program it was; nil where that is not to be read.
    package var command: String? { (try? JSONFile.read(url))?["command"]?.stringValue }

    /// nil where there is no such file.
    /// - Throws: `StorageError`, `RunFolder.Failure.badRecord` and `otherVersion`.
    package func read() throws -> Content? {
        guard try FileKind(reading: url, followingLinks: false) != .nothing else { return nil }
        let document = try JSONFile.read(url)
        func bad(_ key: String) -> RunFolder.Failure { .badRecord(path: url.path, key: key) }
        guard let schema = document["schema"]?.intValue else { throw bad("schema") }
        guard schema == Self.schema else {
            throw RunFolder.Failure.otherVersion(path: url.path, got: schema, expected: Self.schema)
        }
        guard let command = document["command"]?.stringValue else { throw bad("command") }
        guard let configuration = document["configuration"] else { throw bad("configuration") }
        guard let inputs = try? document["inputs"]?.decoded(as: [String: [String: String]].self) else {
            throw bad("inputs")
        }
        var content = Content(
            identity: RunIdentity(command: command, configuration: configuration, inputs: inputs))
        func words(_ key: String) throws -> [String: String] {
            guard let member = document[key] else { return [:] }
            guard let words = try? member.decoded(as: [String: String].self) else { throw bad(key) }
            return words
        }
        content.places = try words("places")
        content.flags = try words("flags")
        if let finished = document["finished"] {
            guard let mark = try? finished["metrics"]?.decoded(as: LogMark.self), mark.bytes >= 0 else {
                throw bad("finished")
            }
            content.finished = mark
        }
        return content
    }
}

import Files
import Foundation
import WeightFiles

/// What folders of every family have in common: a configuration that names a class, and the record of pruning.
public struct ModelFolder {
    public let url: URL

    /// What configurations are called by most families.
    public static let configurationName = "config.json"
    static let recordName = "pruning.json"

    public init(_ url: URL) { self.url = url }

    /// - Throws: `StorageError` where there is no folder, or it or one in it may not be entered: what is in it would
    ///   then pass for missing.
    func check() throws {
        switch try FileKind(reading: url) {
        case .folder: break
        case .nothing:
            throw HubName(of: url).map { ModelFolderError.onHub(path: $0.typed, repository: $0.repository) }
                ?? StorageError.missing(path: url.path)
        case .file, .link, .other: throw StorageError.notAFolder(path: url.path)
        }
        for folder in [url] + (try FolderContents.names(url).map(url.appendingPathComponent))
        where FileKind(at: folder, followingLinks: true) == .folder || folder == url {
            guard access(folder.path, X_OK) == 0 else { throw StorageError.reading(folder.path) }
        }
    }

    /// The model folder that `url` stands for: itself, or the result of the run whose folder it is.
    ///
    /// - Parameter configurations: where a model's configuration may lie, below its folder.
    /// - Throws: `ModelFolderError.unfinishedRun` for a run that has no model yet.
    static func located(_ url: URL, with configurations: [String]) throws -> URL {
        guard FileKind(at: url, followingLinks: true) == .folder, ModelFolder(url).first(of: configurations) == nil
        else {
            return url
        }
        // A quick start keeps its run in a folder of that name.
        for run in [url, url.appendingPathComponent("run")] where exists(run.appendingPathComponent("run.json")) {
            let model = run.appendingPathComponent("model")
            if ModelFolder(model).first(of: configurations) != nil { return model }
            let record = try? JSONFile.read(run.appendingPathComponent("run.json"))
            throw ModelFolderError.unfinishedRun(path: run.path, command: record?["command"]?.stringValue)
        }
        return url
    }

    /// The first of these paths, below the folder, that is there.
    func first(of paths: [String]) -> URL? { paths.map(url.appendingPathComponent).first(where: Self.exists) }

    /// Whether anything has this name. What is no file, or a link to none, is then refused by whoever reads it, not
    /// taken for a file left out; links to files, of which download caches are made, are files.
    static func exists(_ url: URL) -> Bool { FileKind(at: url) != .nothing }

    /// What a configuration calls its class; nil where it does not say.
    static func className(in configuration: JSONValue) -> String? {
        configuration["_class_name"]?.stringValue ?? configuration["kind"]?.stringValue
    }

    /// Checks that a configuration, of the file `file`, names one of a family's classes.
    /// - Throws: `ModelFolderError.unsupportedClass`.
    public static func checkClass(of configuration: JSONValue, isOneOf names: [String], in file: URL) throws {
        let name = className(in: configuration)
        guard let name, names.contains(name) else {
            throw ModelFolderError.unsupportedClass(
                path: file.path, got: name ?? "model of no class",
                expected: names.map { "'\($0)'" }.joined(separator: " or "))
        }
    }

    /// Reads a configuration and runs `read` on it, whose errors are then said to be of the file.
    /// - Throws: `StorageError`, `ModelFolderError`.
    public static func reading<Result>(_ file: URL, _ read: (JSONValue) throws -> Result) throws -> Result {
        let json = try JSONFile.read(file)
        guard json.objectValue != nil else {
            throw ModelFolderError.configuration(
                path: file.path, reason: "expected an object of keys, got \(json.kind)")
        }
        return try placing(file) { try read(json) }
    }

    /// Runs `body`, whose errors are said to be of the configuration `file`.
    static func placing<Result>(_ file: URL, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as ModelFolderError {
            throw error
        } catch {
            throw ModelFolderError.configuration(path: file.path, reason: "\(error)")
        }
    }

    // MARK: record

    /// `pruning.json`; nil where there is none.
    /// - Throws: `StorageError`, `ModelFolderError`.
    public func readRecord() throws -> PruningRecord? {
        guard let file = first(of: [Self.recordName]) else { return nil }
        let json = try JSONFile.read(file)
        func expect(_ holds: Bool, _ reason: @autoclosure () -> String) throws {
            if !holds { throw ModelFolderError.configuration(path: file.path, reason: reason()) }
        }
        try expect(
            json["schema"]?.intValue == PruningRecord.currentSchema,
            "'schema' is \(json["schema"]?.summary ?? "missing"), expected \(PruningRecord.currentSchema)")
        let record: PruningRecord
        do {
            record = try json.decoded(as: PruningRecord.self)
        } catch let error as SettingError {
            throw ModelFolderError.configuration(path: file.path, reason: "not a pruning record: \(error)")
        }
        var names: Set<String> = []
        for group in record.groups where !names.insert(group.name).inserted {
            throw ModelFolderError.duplicateGroup(path: file.path, name: group.name)
        }
        return record
    }

    /// Writes the record where there is one.
    /// - Throws: `StorageError`.
    public func write(_ record: PruningRecord?) throws {
        guard let record else { return }
        try JSONFile.write(JSONValue(encoding: record), to: url.appendingPathComponent(Self.recordName))
    }
}

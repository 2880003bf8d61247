import Foundation
import TestSupport
import Testing

/// The built command line tool, run as a user runs it.
enum Tool {
    struct Result {
        let status: Int32
        let output: String
        let errors: String

        /// Lines of standard error that are neither progress nor empty.
        var complaints: [String] {
            errors.split(separator: "\n").map(String.init).filter { $0.hasPrefix("error:") || $0.hasPrefix("warning:") }
        }
    }

    /// Beside the test bundle: the package manager builds both into one folder.
    static let url: URL = {
        let places = [Bundle.main.bundleURL, URL(fileURLWithPath: CommandLine.arguments[0])]
        for place in places {
            var folder = place
            for _ in 0..<3 {
                let candidate = folder.appendingPathComponent("diffprune")
                if FileManager.default.isExecutableFile(atPath: candidate.path),
                    (try? candidate.resourceValues(forKeys: [.isRegularFileKey]))?.isRegularFile == true
                {
                    return candidate
                }
                folder.deleteLastPathComponent()
            }
        }
        fatalError("there is no diffprune beside \(places)")
    }()

    static func fixture(_ name: String) -> String { Fixtures.url(name).path }

    /// Starts the tool; what it prints goes to files in `scratch`.
    ///
    /// - Parameters:
    ///   - fileLimit: the most kilobytes that a file may grow to.
    ///   - shell: what a shell does before it becomes the tool, such as "ulimit -v 200000"; one that hangs is then
    ///     killed.
    ///   - environment: beside what this process has.
    static func start(
        _ arguments: [String], in scratch: Scratch, fileLimit: Int? = nil, shell: String? = nil,
        environment: [String: String] = [:]
    ) throws -> Process {
        let process = Process()
        process.executableURL = url
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if let fileLimit {
            process.executableURL = URL(fileURLWithPath: "/bin/bash")
            process.arguments = ["-c", "ulimit -f \(fileLimit) && exec \"$0\" \"$@\"", url.path] + arguments
        }
        if let shell {
            process.executableURL = URL(fileURLWithPath: "/bin/bash")
            process.arguments = ["-c", "\(shell); exec timeout -s KILL 60 \"$0\" \"$@\"", url.path] + arguments
        }
        process.currentDirectoryURL = Repository.folder
        for (name, set) in [("stdout", \Process.standardOutput), ("stderr", \Process.standardError)] {
            let file = scratch.url.appendingPathComponent(name)
            _ = FileManager.default.createFile(atPath: file.path, contents: nil)
            process[keyPath: set] = try FileHandle(forWritingTo: file)
        }
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return process
    }

    @discardableResult
    static func run(_ arguments: String...) throws -> Result { try run(arguments) }

    @discardableResult
    static func run(
        _ arguments: [String], fileLimit: Int? = nil, shell: String? = nil, environment: [String: String] = [:]
    ) throws -> Result {
        let scratch = try Scratch()
        let process = try start(
            arguments, in: scratch, fileLimit: fileLimit, shell: shell, environment: environment)
        process.waitUntilExit()
        return Result(
            status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
            output: try scratch.text("stdout"), errors: try scratch.text("stderr"))
    }
}

/// A folder of a test's own, deleted with it.
final class Scratch {
    private let folder: TemporaryFolder

    var url: URL { folder.url }

    init() throws { folder = try TemporaryFolder() }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }
    func data(_ name: String) throws -> Data { try Data(contentsOf: url.appendingPathComponent(name)) }
    func text(_ name: String) throws -> String { String(decoding: try data(name), as: UTF8.self) }
    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    @discardableResult
    func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: url.appendingPathComponent(name))
        return path(name)
    }

    /// Everything in the folder, by relative path; the tests' own captures left out.
    func contents() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: url.path).filter { $0 != "stdout" && $0 != "stderr" }
            .sorted()
    }
}

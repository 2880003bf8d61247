import Foundation

/// The words that the program was started with, its own name left out.
enum ProgramArguments {
    /// Swift's runtime sees none where a preloaded library stands between it and the system, as libfaketime does; the
    /// system knows them then.
    static let all: [String] = {
        let seen = CommandLine.arguments.dropFirst()
        return seen.isEmpty ? system : Array(seen)
    }()

    private static var system: [String] {
        let descriptor = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(descriptor, &part, part.count)
            guard count > 0 else { break }
            bytes += part[..<count]
        }
        // Every word ends in a zero; empty words count.
        let words = bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast()
        return words.dropFirst().map { String(decoding: $0, as: UTF8.self) }
    }
}

import Foundation
import TensorCore

/// What figures were measured on.
public struct Machine: Encodable, Sendable, Equatable {
    /// The processor's name as the system gives it, or how many cores there are.
    public let processor: String
    public let cores: Int
    public let threads: Int
    public let instructionSet: String

    enum CodingKeys: String, CodingKey {
        case processor, cores, threads
        case instructionSet = "instruction_set"
    }

    /// This machine, with the engine as it is set now.
    public static var current: Machine {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = information.split(separator: "\n").first { $0.hasPrefix("model name") }
        let name = line?.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
        return Machine(
            processor: name ?? "\(cores) cores", cores: cores, threads: Engine.threads,
            instructionSet: Engine.instructionSet)
    }
}

import Foundation

/// How much of the processor other processes take meanwhile: what makes a measurement doubtful.
struct OtherProcesses {
    private let wall: ContinuousClock.Instant
    private let machine: Double
    private let own: Double

    /// Starts watching; nil where the system does not tell.
    init?() {
        guard let machine = Self.machineSeconds() else { return nil }
        wall = .now
        self.machine = machine
        own = Self.ownSeconds()
    }

    /// Cores that other processes kept busy since watching began, on average.
    func busyCores() -> Double? {
        guard let machine = Self.machineSeconds() else { return nil }
        let others = (machine - self.machine) - (Self.ownSeconds() - own)
        return max(0, others / (wall.duration(to: .now) / .seconds(1)))
    }

    /// Seconds that all cores together were busy, those that the hypervisor withheld included.
    private static func machineSeconds() -> Double? {
        guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8),
            let line = text.split(separator: "\n").first, line.hasPrefix("cpu ")
        else { return nil }
        // user nice system idle iowait irq softirq steal
        let ticks = line.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
        guard ticks.count == 8 else { return nil }
        return (ticks.reduce(0, +) - ticks[3] - ticks[4]) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Processor time of this process's threads.
    private static func ownSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

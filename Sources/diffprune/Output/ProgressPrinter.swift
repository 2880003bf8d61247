import Foundation
import Runs

/// Shows progress on standard error: count, share, rate, time left and what the work says of itself. On a terminal one
/// line is kept up to date; elsewhere a line is written every few seconds.
final class ProgressPrinter {
    private let isTerminal = StandardStreams.errorIsTerminal
    private let clock = ContinuousClock()
    private var phase: String?
    private var phaseStart = ContinuousClock.now
    private var phaseFirst = 0
    private var lastShown: ContinuousClock.Instant?

    /// What to hand to a workflow; nil when nothing is to be shown.
    static func handler(quiet: Bool) -> ProgressHandler? {
        guard !quiet else { return nil }
        let printer = ProgressPrinter()
        return { printer.update($0) }
    }

    private init() {}

    private func update(_ news: ProgressUpdate) {
        let now = clock.now
        if news.phase != phase {
            (phase, phaseStart, phaseFirst) = (news.phase, now, news.completed)
        }
        let pause: Duration = isTerminal ? .milliseconds(100) : .seconds(5)
        if let lastShown, now - lastShown < pause, news.completed < news.total { return }
        lastShown = now
        let line = Self.line(news, first: phaseFirst, elapsed: now - phaseStart)
        let shown = isTerminal ? String(line.printable.prefix(StandardStreams.columns - 1)) : line
        StandardStreams.showProgress(shown, replacing: isTerminal)
    }

    /// "training 350/1000 (35 %)  12.3/s  ETA 0:52  loss 0.03120"
    private static func line(_ news: ProgressUpdate, first: Int, elapsed: Duration) -> String {
        var parts = ["\(news.phase) \(news.completed)/\(news.total)"]
        if news.total > 0 { parts[0] += " (\(100 * news.completed / news.total) %)" }
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
        if news.completed > first, seconds > 0 {
            let rate = Double(news.completed - first) / seconds
            parts.append(String(format: rate < 10 ? "%.2f/s" : "%.0f/s", rate))
            if news.completed < news.total {
                parts.append("ETA \(duration(Double(news.total - news.completed) / rate))")
            }
        }
        if !news.detail.isEmpty { parts.append(news.detail) }
        return parts.joined(separator: "  ")
    }

    /// "0:52", "1:02:03"
    private static func duration(_ seconds: Double) -> String {
        guard seconds < 1e9 else { return "—" }
        let whole = Int(seconds.rounded(.up))
        let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
        return hours > 0
            ? String(format: "%d:%02d:%02d", hours, minutes, rest) : String(format: "%d:%02d", minutes, rest)
    }
}

import Foundation
import Runs

/// Shows progress on standard error: where the work stands, rate, time left and what the work says of itself. On a terminal
/// one line is kept up to date; elsewhere a line is written every few seconds.
final class ProgressPrinter {
    private let isTerminal = StandardStreams.errorIsTerminal
    private let clock = ContinuousClock()
    /// Phase and place, of which a rate is.
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
        guard !news.isStatement else { return StandardStreams.say(news.phase) }
        let now = clock.now
        if news.phase != phase {
            (phase, phaseStart, phaseFirst) = (news.phase, now, news.completed)
        }
        let pause: Duration = isTerminal ? .milliseconds(100) : .seconds(5)
        let isLast = news.total > 0 && news.completed >= news.total
        if let lastShown, now - lastShown < pause, !isLast { return }
        lastShown = now
        let line = Self.line(news, first: phaseFirst, elapsed: now - phaseStart)
        let shown = isTerminal ? String(line.prefix(StandardStreams.columns - 1)) : line
        StandardStreams.showProgress(shown, replacing: isTerminal)
    }

    /// "fine-tuning step 350 of 1000 (35 %)  12.3/s  ETA 0:52  loss 0.03120"
    private static func line(_ news: ProgressUpdate, first: Int, elapsed: Duration) -> String {
        var parts = [news.position]
        if news.total > 0, news.place.isEmpty { parts[0] += " (\(100 * news.completed / news.total) %)" }
        let seconds = elapsed / .seconds(1)
        var rate: Double?
        if news.completed > first, seconds > 0 { rate = Double(news.completed - first) / seconds }
        if let rate, news.place.isEmpty { parts.append(String(format: rate < 10 ? "%.2f/s" : "%.0f/s", rate)) }
        if let remaining = news.remaining {
            if remaining > 0 { parts.append("ETA \(DurationText.clock(remaining))") }
        } else if let rate, news.completed < news.total {
            parts.append("ETA \(DurationText.clock(Double(news.total - news.completed) / rate))")
        }
        if !news.detail.isEmpty { parts.append(news.detail) }
        return parts.joined(separator: "  ")
    }
}

import Foundation
import Runs
import Synchronization

/// Shows progress on standard error: where the work stands, rate, time left and what the work says of itself. On a
/// terminal one line is kept up to date; elsewhere a line is written every few seconds.
///
/// Nothing is shown in the first second, so that what is done or refused by then says its result alone; what then is
/// under way is shown even if it has no news for long.
final class ProgressPrinter: Sendable {
    private struct State {
        /// Of which a rate is.
        var phase: String?
        var phaseStart = ContinuousClock.now
        var phaseFirst = 0
        var lastShown: ContinuousClock.Instant?
        /// Whether the first second is over.
        var isOpen = false
        var statement: String?
        var pending: String?
    }

    private let isTerminal = StandardStreams.errorIsTerminal
    private let state = Mutex(State())

    /// What to hand to a workflow; nil when nothing is to be shown.
    static func handler(quiet: Bool) -> ProgressHandler? {
        guard !quiet else { return nil }
        let printer = ProgressPrinter()
        Thread.detachNewThread {
            Thread.sleep(forTimeInterval: 1)
            printer.open()
        }
        return { printer.update($0) }
    }

    private init() {}

    /// Shows what was held back in the first second.
    private func open() {
        state.withLock { state in
            state.isOpen = true
            state.statement.map(StandardStreams.say)
            guard let line = state.pending else { return }
            state.lastShown = .now
            show(line)
        }
    }

    private func update(_ news: ProgressUpdate) {
        state.withLock { state in
            guard !news.isStatement else {
                if state.isOpen { StandardStreams.say(news.phase) } else { state.statement = news.phase }
                return
            }
            let now = ContinuousClock.now
            let isNewPhase = news.phase != state.phase
            if isNewPhase { (state.phase, state.phaseStart, state.phaseFirst) = (news.phase, now, news.completed) }
            guard state.isOpen else {
                state.pending = Self.line(news, first: state.phaseFirst, elapsed: now - state.phaseStart)
                return
            }
            let pause: Duration = isTerminal ? .milliseconds(100) : isNewPhase ? .seconds(1) : .seconds(5)
            let isLast = news.total > 0 && news.completed >= news.total && news.place.isEmpty
            if let lastShown = state.lastShown, now - lastShown < pause, !isLast { return }
            state.lastShown = now
            show(Self.line(news, first: state.phaseFirst, elapsed: now - state.phaseStart))
        }
    }

    private func show(_ line: String) {
        let shown = isTerminal ? String(line.printable.prefix(StandardStreams.columns - 1)) : line
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

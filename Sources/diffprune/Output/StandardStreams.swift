import Files
import Foundation
import Synchronization

/// Standard output and error, for text that is written whole.
///
/// What is shown may come from anybody's files: what would act on a terminal is shown as its code point.
enum StandardStreams {
    /// Whether a progress line without an end stands on the terminal.
    private static let hasOpenLine = Mutex(false)

    /// Makes closed streams and readers that leave early harmless, and a file that may not grow further an error.
    static func prepare() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        // A file opened later must not come to stand where a closed standard stream was.
        for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) == -1 {
            _ = open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY)
        }
    }

    /// Writes to standard output. A reader that has left has had what it wanted: no error.
    static func write(_ text: String) throws {
        closeLine()
        let code = put(text.printable, on: STDOUT_FILENO)
        guard code == 0 || code == EPIPE else {
            throw StorageError.unwritable(path: "standard output", reason: String(cString: strerror(code)))
        }
    }

    /// One line "warning: …" on standard error.
    static func warn(_ message: String) { put(kind: "warning", message) }

    /// One line "error: …" on standard error.
    static func fail(_ message: String) { put(kind: "error", message) }

    private static func put(kind: String, _ message: String) {
        closeLine()
        let line = message.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }.joined(separator: " ")
        _ = put("\(kind): \(line.printable)\n", on: STDERR_FILENO)
    }

    /// One line on standard error that is neither error nor warning.
    static func say(_ line: String) {
        closeLine()
        _ = put(line.printable + "\n", on: STDERR_FILENO)
    }

    /// On a terminal: says that a run ends after its step, since a step may take a while.
    ///
    /// - Parameter isKey: whether the user asked for it by a key.
    static func announceStop(isKey: Bool) {
        guard errorIsTerminal else { return }
        closeLine()
        showProgress("stopping after this step" + (isKey ? "; Ctrl-C again ends at once" : ""), replacing: true)
    }

    /// A line of progress; on a terminal it takes the place of the one before.
    static func showProgress(_ line: String, replacing: Bool) {
        hasOpenLine.withLock { $0 = replacing }
        let line = line.printable
        _ = put(replacing ? "\r\u{1B}[K\(line)" : "\(line)\n", on: STDERR_FILENO)
    }

    /// Ends an open line of progress.
    static func closeLine() {
        let wasOpen = hasOpenLine.withLock { open in
            defer { open = false }
            return open
        }
        if wasOpen { _ = put("\n", on: STDERR_FILENO) }
    }

    static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Columns of the terminal behind standard error.
    static var columns: Int { columns(of: STDERR_FILENO) ?? 80 }

    /// Columns of the terminal behind standard output; nil where there is none.
    static var outputColumns: Int? { columns(of: STDOUT_FILENO) }

    private static func columns(of descriptor: Int32) -> Int? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// - Returns: 0, or the `errno` of the write that failed.
    private static func put(_ text: String, on descriptor: Int32) -> Int32 {
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                return errno
            }
            written += count
        }
        return 0
    }
}

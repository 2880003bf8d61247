import Foundation

/// One piece of news from long work.
public struct ProgressUpdate: Sendable {
    public let phase: String
    public let completed: Int
    public let total: Int
    /// What there is to say beside the count, such as the loss.
    public let detail: String

    public init(phase: String, completed: Int, total: Int, detail: String = "") {
        self.phase = phase
        self.completed = completed
        self.total = total
        self.detail = detail
    }
}

/// Receives progress; called from the thread that does the work.
public typealias ProgressHandler = (ProgressUpdate) -> Void

/// Receives a sentence about a problem that the work recovered from, but that the user should know of.
public typealias WarningHandler = (String) -> Void

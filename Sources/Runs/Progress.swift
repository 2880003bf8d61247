/// One piece of news from long work: "scoring batch 7 of 32 (mask update 2 of 8)".
public struct ProgressUpdate: Sendable {
    /// What is being done.
    public var phase: String
    /// What is counted, in the singular; empty where there is nothing to count.
    public var unit: String
    /// The one that is under way, or was done last, from 1.
    public var completed: Int
    public var total: Int
    /// Where in a larger whole this stands, such as "mask update 2 of 8"; empty for nowhere else.
    public var place: String
    /// What there is to say beside the count, such as the loss.
    public var detail: String
    /// Seconds until all of the work is done, this phase and those after it; nil where that is not known.
    public var remaining: Double?
    /// Whether it is to stay on the screen: a statement, such as how long all will take, and not how far something is.
    public var isStatement = false

    public init(
        phase: String, unit: String = "", completed: Int, total: Int, place: String = "", detail: String = ""
    ) {
        self.phase = phase
        self.unit = unit
        self.completed = completed
        self.total = total
        self.place = place
        self.detail = detail
    }

    /// A phase of which only its beginning is told.
    public init(phase: String) { self.init(phase: phase, completed: 0, total: 0) }

    public init(statement: String) {
        self.init(phase: statement)
        isStatement = true
    }

    /// The same without the time left.
    public var withoutTimes: ProgressUpdate {
        var update = self
        update.remaining = nil
        return update
    }

    /// What is done and how far it is, without times: "fine-tuning step 350 of 1000".
    public var position: String {
        var text = phase
        if total > 0 { text += "\(unit.isEmpty ? "" : " \(unit)") \(completed) of \(total)" }
        return place.isEmpty ? text : text + " (\(place))"
    }
}

/// Receives progress; called from the thread that does the work.
public typealias ProgressHandler = (ProgressUpdate) -> Void

/// Receives a sentence about a problem that the work recovered from, but that the user should know of.
public typealias WarningHandler = (String) -> Void

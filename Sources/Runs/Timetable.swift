/// The work from here to the end, stretch by stretch, and how long it will take: by what is expected at first, more and
/// more by what was measured.
public struct Timetable {
    /// A stretch of equal pieces of work.
    public struct Stretch: Sendable {
        /// Pieces of one kind take equally long, whatever stretch they are of.
        public let kind: String
        /// Still to be done.
        public var pieces: Int
        /// What a piece of this kind is expected to take in comparison with those of other kinds, in any unit.
        public let weight: Double
        /// What the user counts, in the singular: "mask update", "step".
        public let noun: String
        /// How many of these the stretch is.
        public let count: Int

        /// - Parameters:
        ///   - kind: pieces of one kind are measured together.
        ///   - pieces: how many there are.
        ///   - weight: what one is expected to take in comparison with those of other kinds.
        ///   - noun: what the user counts, in the singular.
        ///   - count: nil for one a piece.
        public init(_ kind: String, pieces: Int, weight: Double, noun: String, count: Int? = nil) {
            self.kind = kind
            self.pieces = pieces
            self.weight = weight
            self.noun = noun
            self.count = count ?? pieces
        }
    }

    public private(set) var stretches: [Stretch]
    private var measured: [String: Measured] = [:]

    /// What pieces of a kind took: later ones count more, since runs become faster and slower on their way.
    private struct Measured {
        var seconds: Double
        var pieces: Double
        var isWarm = false

        /// Weight of what was measured before, when another piece is.
        static let memory = 0.97

        var mean: Double { seconds / pieces }
    }

    public init(_ stretches: [Stretch] = []) { self.stretches = stretches }

    /// - Returns: the number by which the stretch is told of.
    @discardableResult
    public mutating func append(_ stretch: Stretch) -> Int {
        stretches.append(stretch)
        return stretches.count - 1
    }

    // MARK: what happens

    /// A piece of this kind took so long. The first one of a kind warms up and only counts until there is another.
    public mutating func measure(_ kind: String, seconds: Double) {
        guard var known = measured[kind] else {
            measured[kind] = Measured(seconds: seconds, pieces: 1)
            return
        }
        let memory = known.isWarm ? Measured.memory : 0
        known.seconds = memory * known.seconds + seconds
        known.pieces = memory * known.pieces + 1
        known.isWarm = true
        measured[kind] = known
    }

    /// A piece of a stretch is done.
    public mutating func finish(_ stretch: Int, seconds: Double) {
        measure(stretches[stretch].kind, seconds: seconds)
        stretches[stretch].pieces = max(0, stretches[stretch].pieces - 1)
    }

    /// Nothing of a stretch is left, whether or not all its pieces were needed.
    public mutating func leave(_ stretch: Int) { stretches[stretch].pieces = 0 }

    /// Takes over what was measured on the way through the same work, or a part of it.
    public mutating func takeMeasures(of other: Timetable) { measured = other.measured }

    /// Whether more than a kind's first piece was measured.
    public func isMeasured(_ kind: String) -> Bool { measured[kind]?.isWarm == true }

    // MARK: what is to come

    /// Seconds of a piece of this stretch; nil before anything was measured.
    private func seconds(_ stretch: Stretch) -> Double? {
        if let known = measured[stretch.kind] { return known.mean }
        // As much for its weight as the kinds that were measured.
        var (time, weight) = (0.0, 0.0)
        for (kind, known) in measured {
            guard let other = stretches.first(where: { $0.kind == kind }) else { continue }
            time += known.mean
            weight += other.weight
        }
        return weight > 0 ? time / weight * stretch.weight : nil
    }

    /// Seconds until all is done; nil before anything was measured.
    public var remaining: Double? {
        var sum = 0.0
        for stretch in stretches where stretch.pieces > 0 {
            guard let each = seconds(stretch) else { return nil }
            sum += each * Double(stretch.pieces)
        }
        return sum
    }

    /// What is to come, by what the user counts; nil before anything was measured.
    public var outlook: Outlook? {
        var items: [Outlook.Item] = []
        for stretch in stretches where stretch.pieces > 0 {
            guard let each = seconds(stretch) else { return nil }
            let seconds = each * Double(stretch.pieces)
            if let index = items.firstIndex(where: { $0.noun == stretch.noun }) {
                items[index].count += stretch.count
                items[index].seconds += seconds
            } else {
                items.append(Outlook.Item(noun: stretch.noun, count: stretch.count, seconds: seconds))
            }
        }
        return Outlook(items: items)
    }
}

/// How long work will take: "8 mask updates of about 30 s, 1000 steps of about 0.9 s: about 20 min".
public struct Outlook: Encodable, Sendable, Equatable {
    public struct Item: Encodable, Sendable, Equatable {
        public let noun: String
        public var count: Int
        /// Of all of them.
        public var seconds: Double

        public init(noun: String, count: Int, seconds: Double) {
            self.noun = noun
            self.count = count
            self.seconds = seconds
        }
    }

    public let items: [Item]

    public init(items: [Item]) { self.items = items }

    public var seconds: Double { items.reduce(0) { $0 + $1.seconds } }

    /// Without what hardly counts.
    public var description: String {
        let parts = items.filter { $0.seconds >= 0.02 * seconds }.map { item in
            "\(item.count) \(item.count == 1 ? item.noun : Self.plural(item.noun)) of about "
                + DurationText.rough(item.seconds / Double(max(item.count, 1)))
        }
        return parts.joined(separator: ", ") + ": about " + DurationText.rough(seconds)
    }

    private static func plural(_ noun: String) -> String {
        if noun.hasSuffix("y") { return noun.dropLast() + "ies" }
        return noun + (noun.hasSuffix("s") || noun.hasSuffix("ch") ? "es" : "s")
    }
}

/// Durations in words.
public enum DurationText {
    /// As exact as an estimate is: "0.9 s", "30 s", "20 min", "3 h 20 min".
    public static func rough(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 3.6e8 else { return "years" }
        switch seconds {
        case ..<0.0095: return "\(max(1, Int((seconds * 1000).rounded()))) ms"
        case ..<0.095: return "\(Int((seconds * 100).rounded()) * 10) ms"
        case ..<9.95: return "\((seconds * 10).rounded() / 10) s".replacingTrailingZero
        case ..<100: return "\(Int(seconds.rounded())) s"
        case ..<5970: return "\(Int((seconds / 60).rounded())) min"
        case ..<172_800:
            let minutes = Int((seconds / 600).rounded()) * 10
            return minutes % 60 == 0 ? "\(minutes / 60) h" : "\(minutes / 60) h \(minutes % 60) min"
        default: return "\(Int((seconds / 86_400).rounded())) days"
        }
    }

    /// As a clock counts down: "0:52", "1:02:03".
    public static func clock(_ seconds: Double) -> String {
        guard seconds < 1e9 else { return "—" }
        let whole = Int(max(seconds, 0).rounded(.up))
        let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
    }
}

extension String {
    /// "2.0 s" as "2 s".
    fileprivate var replacingTrailingZero: String {
        hasSuffix(".0 s") ? String(dropLast(4)) + " s" : self
    }
}

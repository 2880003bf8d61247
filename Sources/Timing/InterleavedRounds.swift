/// Pieces of work timed in turn in one run, so that whatever else the machine does falls on all of them.
///
/// A round times each piece once, forwards and backwards by turns.
public struct InterleavedRounds: Sendable {
    /// Rounds that are made in any case, at least 1.
    public var minimumRounds = 9
    /// Rounds after which to stop even when `timeLimit` has not gone by.
    public var maximumRounds = 41
    /// Time after which to stop, once there are `minimumRounds`.
    public var timeLimit = Duration.seconds(2)
    /// Rounds that are not counted, always forwards.
    public var warmUp = 2

    public init() {}

    /// As many rounds as said, however long they take.
    public init(exactly rounds: Int) {
        (minimumRounds, maximumRounds) = (rounds, rounds)
    }

    /// One piece of work.
    public struct Piece {
        /// Done before each run and not timed.
        let prepare: () throws -> Void
        let run: () throws -> Void

        public init(prepare: @escaping () throws -> Void = {}, run: @escaping () throws -> Void) {
            self.prepare = prepare
            self.run = run
        }
    }

    /// Milliseconds of each piece, one a round.
    public func measure(_ pieces: [Piece]) throws -> [[Double]] {
        let clock = ContinuousClock()
        for _ in 0..<warmUp {
            for piece in pieces {
                try piece.prepare()
                try piece.run()
            }
        }
        var times = [[Double]](repeating: [], count: pieces.count)
        let start = clock.now
        var round = 0
        while round < max(minimumRounds, 1) || (round < maximumRounds && clock.now - start < timeLimit) {
            for index in round % 2 == 0 ? Array(pieces.indices) : pieces.indices.reversed() {
                try pieces[index].prepare()
                times[index].append(try clock.measure(pieces[index].run) / .milliseconds(1))
            }
            round += 1
        }
        return times
    }
}

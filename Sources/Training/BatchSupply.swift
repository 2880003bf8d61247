/// What batches are taken from where that is made on the way and takes long: lot by lot, each before the first step
/// that needs it. What a lot holds is a pure function of its number.
public protocol BatchSupply: AnyObject {
    /// What a lot consists of, in the singular.
    var noun: String { get }
    /// How many of these a lot is.
    var lotSize: Int { get }
    /// Pieces of about equal work that the making of a lot falls into.
    var lotPieces: Int { get }
    /// Samples that pass through a network in a piece.
    var pieceSamples: Int { get }
    /// What a lot takes in memory.
    var lotBytes: Int { get }

    /// The lots, numbered from 0, that the batches of `steps` are taken from.
    func lots(for steps: Range<Int>) -> Range<Int>
    /// Whether batches can be taken from a lot: only from the one that was made last.
    func has(lot: Int) -> Bool
    /// Whether calibration batches can be taken: always where none are taken from lots, else once lot 0 was made,
    /// whichever came after it.
    var canCalibrate: Bool { get }

    /// Makes a lot in the place of the one before.
    ///
    /// - Parameters:
    ///   - lot: its number.
    ///   - progress: called after each piece with how many are done; what it throws ends the making, with no lot there.
    func make(lot: Int, progress: (_ done: Int) throws -> Void) throws

    /// Makes so little in the place of lot 0 that a step and a calibration batch can be tried out on it.
    ///
    /// - Parameter progress: called after each piece, of the size that those of lots have.
    func makeTrial(progress: () throws -> Void) throws
}

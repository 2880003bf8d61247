import Files
import Imagery

/// What a run shows now and then of what its network has learned.
public struct Inspection<Network> {
    public enum Result {
        /// For `samples/`.
        case picture(Image)
        /// For the log.
        case numbers([String: JSONValue])
    }

    /// Steps between them.
    public let every: Int
    /// What goes on while it is made, as "drawing samples,".
    public let phase: String
    /// What it is called in the singular, as "sample grid".
    public let noun: String
    /// What it goes through, in the singular, as "picture".
    public let unit: String
    /// How many of these there are at a time.
    public let count: Int
    /// How many go through the network together.
    public let batchSize: Int
    /// Into how many predictions of a batch the making falls.
    public let pieces: Int
    /// Made with the weights as they would be saved; told of how much is done, of how much, and stopped by what that
    /// throws.
    public let make: (_ network: Network, _ progress: (Int, Int) throws -> Void) throws -> Result

    /// - Parameters:
    ///   - every: steps between them.
    ///   - phase: what goes on meanwhile.
    ///   - noun: what it is called.
    ///   - unit: what it goes through.
    ///   - count: how many of these.
    ///   - batchSize: how many go through the network together.
    ///   - pieces: predictions of a batch.
    ///   - make: makes it of a network.
    public init(
        every: Int, phase: String, noun: String, unit: String, count: Int, batchSize: Int, pieces: Int,
        make: @escaping (_ network: Network, _ progress: (Int, Int) throws -> Void) throws -> Result
    ) {
        self.every = every
        self.phase = phase
        self.noun = noun
        self.unit = unit
        self.count = count
        self.batchSize = batchSize
        self.pieces = pieces
        self.make = make
    }
}

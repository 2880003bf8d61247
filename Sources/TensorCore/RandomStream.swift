import Foundation

/// A counter-based stream of random numbers named by seed, purpose and index.
///
/// Element *p* of a stream is a pure function of (seed, purpose, index, kind of draw, *p*): there is no hidden state
/// but `position`, so streams can be resumed, skipped ahead and split between threads without changing one bit.
///
/// Layout: Philox4x32-10 with
/// - key = mix(mix(seed) ⊕ FNV-1a(purpose)), mix being SplitMix64's step,
/// - counter words 2, 3 = index (low, high), words 0, 1 = block number, its top two bits the kind of draw:
///   integers (and all that is made from them) and normals never share a block, so draws of both kinds at the same
///   position are independent.
///
/// A block holds two elements. `position` counts elements of either kind and wraps at 2⁶².
///
/// Normals go through the C library's `log`, `sin` and `cos` in double precision and are then rounded to `Float`.
/// The bits are the same for every thread count and batch size on one machine; C libraries that differ in the last
/// bit of a double give the same `Float` but about once in 2²⁸ draws. All other draws are integer arithmetic and the
/// same everywhere.
public struct RandomStream: RandomNumberGenerator, Hashable, Sendable, Codable {
    public let seed: UInt64
    public let purpose: RandomPurpose
    /// Image, step, epoch, …: what the purpose says.
    public let index: UInt64
    /// Number of the next element. Saving it, or the whole stream, and restoring it resumes exactly.
    public var position: UInt64

    private let key: SIMD2<UInt32>

    /// The stream of `purpose` and `index` under `seed`, standing at element `position`.
    public init(seed: UInt64, purpose: RandomPurpose, index: UInt64 = 0, position: UInt64 = 0) {
        self.seed = seed
        self.purpose = purpose
        self.index = index
        self.position = position
        let mixed = Self.splitMix(Self.splitMix(seed) ^ purpose.hash)
        key = SIMD2(UInt32(truncatingIfNeeded: mixed), UInt32(truncatingIfNeeded: mixed >> 32))
    }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        defer { position &+= 1 }
        return bits(at: position)
    }

    /// The 64 bits of element `position`, leaving the stream where it is.
    public func bits(at position: UInt64) -> UInt64 {
        let (low, high) = halves(ofBlock: position >> 1, kind: .bits)
        return position & 1 == 0 ? low : high
    }

    enum Kind: UInt64 { case bits, normal }

    /// The two 64-bit halves of a block.
    func halves(ofBlock block: UInt64, kind: Kind) -> (low: UInt64, high: UInt64) {
        let number = (block & (1 << 62 - 1)) | kind.rawValue << 62
        let words = Philox.block(
            counter: SIMD4(
                UInt32(truncatingIfNeeded: number), UInt32(truncatingIfNeeded: number >> 32),
                UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32)),
            key: key)
        return (UInt64(words.x) | UInt64(words.y) << 32, UInt64(words.z) | UInt64(words.w) << 32)
    }

    /// One step of SplitMix64 (Steele, Lea, Flood 2014) from state `value`.
    private static func splitMix(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    private enum CodingKeys: String, CodingKey { case seed, purpose, index, position }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            seed: try container.decode(UInt64.self, forKey: .seed),
            purpose: RandomPurpose(rawValue: try container.decode(String.self, forKey: .purpose)),
            index: try container.decode(UInt64.self, forKey: .index),
            position: try container.decode(UInt64.self, forKey: .position))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(seed, forKey: .seed)
        try container.encode(purpose.rawValue, forKey: .purpose)
        try container.encode(index, forKey: .index)
        try container.encode(position, forKey: .position)
    }
}

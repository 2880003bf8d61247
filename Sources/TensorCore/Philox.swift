/// Philox4x32 with ten rounds: a bijection of a 128-bit counter under a 64-bit key whose outputs pass for random.
///
/// Having no state, block *n* of a stream costs the same as block 0, whichever thread asks for it.
/// Based on: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
public enum Philox {
    /// Four 32-bit words: a counter going in, random bits coming out.
    public typealias Block = SIMD4<UInt32>

    /// The ten-round block for `counter` under `key`.
    @inlinable
    public static func block(counter: Block, key: SIMD2<UInt32>) -> Block {
        var words = counter
        var roundKey = key
        for round in 0..<10 {
            if round > 0 {
                roundKey = roundKey &+ SIMD2(0x9E37_79B9, 0xBB67_AE85)
            }
            let first = UInt64(words.x) &* 0xD251_1F53
            let second = UInt64(words.z) &* 0xCD9E_8D57
            words = SIMD4(
                UInt32(truncatingIfNeeded: second >> 32) ^ words.y ^ roundKey.x,
                UInt32(truncatingIfNeeded: second),
                UInt32(truncatingIfNeeded: first >> 32) ^ words.w ^ roundKey.y,
                UInt32(truncatingIfNeeded: first)
            )
        }
        return words
    }
}

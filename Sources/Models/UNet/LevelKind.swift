/// What the name of a level's block type says of its parts.
struct LevelKind {
    /// Whether there is attention.
    let attends: Bool
    /// Whether an image pyramid runs beside the level (Skip and AttnSkip blocks): its ResNet blocks then divide by √2,
    /// choose their own normalisation groups and resample by a filter.
    let meetsPyramid: Bool
    /// Whether the level ends in a ResNet block that resamples, not in a convolution.
    let resamplesByResnet: Bool

    /// - Parameters:
    ///   - type: a legal `down_block_types` or `up_block_types` entry.
    ///   - resampling: `downsample_type` or `upsample_type`, which only plain attention blocks heed.
    init(_ type: String, resampling: UNetConfiguration.Resampling) {
        let name = UNetConfiguration.plain(type)
        attends = name.hasPrefix("Attn")
        meetsPyramid = UNetConfiguration.meetsPyramid(type)
        resamplesByResnet = meetsPyramid || name.hasPrefix("Resnet") || (attends && resampling == .resnet)
    }

    // MARK: what diffusers fixes in Skip and AttnSkip blocks

    /// What the sums of ResNet blocks and attention are divided by.
    static let pyramidScale = Float(2).squareRoot()
    static let pyramidAttentionGroups = 32

    static func pyramidGroups(_ width: Int) -> Int { min(width / 4, 32) }

    /// Groups of a ResNet block's first normalisation, over `stream` and, in an up block, `skip` channels.
    func pyramidInputGroups(_ stream: Int, skip: Int) -> Int {
        // AttnSkipUpBlock2D divides the skip's width alone by four; trained models depend on it.
        attends && skip > 0 ? min(stream + skip / 4, 32) : Self.pyramidGroups(stream + skip)
    }
}

import Imagery

/// Similarity of the pictures of two lists, pair by pair, on 8-bit values / 255.
public struct ImageConsistency: Sendable {
    /// Structural similarity of each pair; nil where the images are smaller than SSIM's window.
    public let ssim: [Double]?
    /// Peak signal-to-noise ratio of each pair in decibels; +∞ for identical ones.
    public let psnr: [Double]
    /// Mean squared error of each pair.
    public let meanSquaredError: [Double]

    /// - Parameters:
    ///   - first: pictures of any sizes; transparent ones are laid over black.
    ///   - second: as many, each of the size and channels of its counterpart.
    /// - Throws: `MetricError` for no pair at all or lists of unequal length, `ImageError.sizesDiffer`.
    public init(_ first: [Image], _ second: [Image]) throws {
        guard !first.isEmpty else { throw MetricError.tooFewSamples(what: "a comparison of images", got: 0, needed: 1) }
        guard first.count == second.count else {
            throw MetricError.wrongLength(what: "the second list of images", got: second.count, expected: first.count)
        }
        let pairs = try zip(first, second).map { a, b in
            let (a, b) = (a.compositing(over: .black), b.compositing(over: .black))
            guard a.width == b.width, a.height == b.height, a.channels == b.channels else {
                throw ImageError.sizesDiffer(Self.shape(a), Self.shape(b))
            }
            return try PixelPair(a.pixels, b.pixels, height: a.height, width: a.width, channels: a.channels)
        }
        meanSquaredError = pairs.map(MeanSquaredError.value)
        psnr = meanSquaredError.map(PeakSignalToNoise.value(meanSquaredError:))
        let window = StructuralSimilarity.windowSize
        let isLargeEnough = first.allSatisfy { min($0.width, $0.height) >= window }
        ssim =
            isLargeEnough
            ? try pairs.map {
                try StructuralSimilarity.value(
                    $0.first, $0.second, height: $0.height, width: $0.width, channels: $0.channels)
            } : nil
    }

    private init(ssim: [Double]?, psnr: [Double], meanSquaredError: [Double]) {
        self.ssim = ssim
        self.psnr = psnr
        self.meanSquaredError = meanSquaredError
    }

    /// Of some of the pairs.
    /// - Precondition: each index is that of a pair.
    public func selecting(_ indices: [Int]) -> ImageConsistency {
        ImageConsistency(
            ssim: ssim.map { values in indices.map { values[$0] } }, psnr: indices.map { psnr[$0] },
            meanSquaredError: indices.map { meanSquaredError[$0] })
    }

    private static func shape(_ image: Image) -> String {
        "\(image.width)×\(image.height), \(image.channels) channels"
    }
}

import Foundation

/// Structural similarity (SSIM) of two 8-bit images: 1 for equal images, lower (possibly negative) for different ones.
///
/// Based on: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural
/// similarity", 2004. Gaussian window 11×11 with σ = 1.5, K₁ = 0.01, K₂ = 0.03, values / 255 so data range 1, moments
/// weighted by the window without a sample correction. Only windows that lie wholly inside the image count; the result
/// is the mean over windows and channels, as pytorch_msssim and scikit-image (`gaussian_weights`, no sample covariance)
/// compute it, here in double precision.
public enum StructuralSimilarity {
    /// Side of the square window, in pixels; no image may be smaller.
    public static let windowSize = 11
    private static let sigma = 1.5
    private static let luminanceConstant = 0.01 * 0.01
    private static let contrastConstant = 0.03 * 0.03

    /// The mean SSIM of two images.
    /// - Parameters:
    ///   - first: HWC bytes.
    ///   - second: HWC bytes of the same shape.
    ///   - height: of both, at least 11.
    ///   - width: of both, at least 11.
    ///   - channels: of both.
    /// - Throws: `MetricError` when a shape is impossible, a byte count does not match it, or a side is below 11.
    public static func value(
        _ first: [UInt8], _ second: [UInt8], height: Int, width: Int, channels: Int
    ) throws(MetricError) -> Double {
        let pair = try PixelPair(first, second, height: height, width: width, channels: channels)
        guard height >= windowSize, width >= windowSize else {
            throw .imageTooSmall(height: height, width: width, window: windowSize)
        }
        let taps = gaussianTaps()
        var sum = 0.0
        for channel in 0..<channels {
            sum += meanOfChannel(channel, of: pair, taps: taps)
        }
        return sum / Double(channels)
    }

    private static func gaussianTaps() -> [Double] {
        let center = windowSize / 2
        let raw = (0..<windowSize).map { index in
            let offset = Double(index - center)
            return exp(-offset * offset / (2 * sigma * sigma))
        }
        let total = raw.reduce(0, +)
        return raw.map { $0 / total }
    }

    private static func meanOfChannel(_ channel: Int, of pair: PixelPair, taps: [Double]) -> Double {
        let count = pair.height * pair.width
        var a = [Double](repeating: 0, count: count)
        var b = a
        for index in 0..<count {
            a[index] = Double(pair.first[index * pair.channels + channel]) / 255
            b[index] = Double(pair.second[index * pair.channels + channel]) / 255
        }
        func windowMeans(_ plane: [Double]) -> [Double] {
            self.windowMeans(of: plane, height: pair.height, width: pair.width, taps: taps)
        }
        let meanA = windowMeans(a)
        let meanB = windowMeans(b)
        let meanAA = windowMeans(zip(a, a).map { $0 * $1 })
        let meanBB = windowMeans(zip(b, b).map { $0 * $1 })
        let meanAB = windowMeans(zip(a, b).map { $0 * $1 })

        var sum = 0.0
        for index in meanA.indices {
            let squareA = meanA[index] * meanA[index]
            let squareB = meanB[index] * meanB[index]
            let product = meanA[index] * meanB[index]
            let varianceA = meanAA[index] - squareA
            let varianceB = meanBB[index] - squareB
            let covariance = meanAB[index] - product
            let luminance = (2 * product + luminanceConstant) / (squareA + squareB + luminanceConstant)
            let structure = (2 * covariance + contrastConstant) / (varianceA + varianceB + contrastConstant)
            sum += luminance * structure
        }
        return sum / Double(meanA.count)
    }

    /// Weighted means over every window inside a [height, width] plane: [height − 10, width − 10], rows first.
    private static func windowMeans(of plane: [Double], height: Int, width: Int, taps: [Double]) -> [Double] {
        let outWidth = width - windowSize + 1
        let outHeight = height - windowSize + 1
        var rows = [Double](repeating: 0, count: height * outWidth)
        var result = [Double](repeating: 0, count: outHeight * outWidth)
        // Unsafe buffers take the bounds checks out of the only hot loops of the metric.
        plane.withUnsafeBufferPointer { plane in
            rows.withUnsafeMutableBufferPointer { rows in
                for y in 0..<height {
                    for x in 0..<outWidth {
                        var sum = 0.0
                        for tap in 0..<windowSize {
                            sum += taps[tap] * plane[y * width + x + tap]
                        }
                        rows[y * outWidth + x] = sum
                    }
                }
            }
        }
        rows.withUnsafeBufferPointer { rows in
            result.withUnsafeMutableBufferPointer { result in
                for y in 0..<outHeight {
                    for tap in 0..<windowSize {
                        let weight = taps[tap]
                        for x in 0..<outWidth {
                            result[y * outWidth + x] += weight * rows[(y + tap) * outWidth + x]
                        }
                    }
                }
            }
        }
        return result
    }
}

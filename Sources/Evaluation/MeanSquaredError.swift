/// Mean squared error of two 8-bit images on values / 255: 0 for equal images, 1 for black against white.
public enum MeanSquaredError {
    /// The mean over all pixels and channels of ((a − b)/255)².
    ///
    /// The sum is taken in integers, so it is exact and independent of order.
    /// - Parameters:
    ///   - first: HWC bytes.
    ///   - second: HWC bytes of the same shape.
    ///   - height: of both.
    ///   - width: of both.
    ///   - channels: of both.
    /// - Throws: `MetricError` when a shape is impossible or a byte count does not match it.
    public static func value(
        _ first: [UInt8], _ second: [UInt8], height: Int, width: Int, channels: Int
    ) throws(MetricError) -> Double {
        let pair = try PixelPair(first, second, height: height, width: width, channels: channels)
        return value(of: pair)
    }

    static func value(of pair: PixelPair) -> Double {
        var sum: UInt64 = 0
        for (a, b) in zip(pair.first, pair.second) {
            let difference = Int32(a) - Int32(b)
            sum += UInt64(difference * difference)
        }
        return Double(sum) / (255 * 255 * Double(pair.first.count))
    }
}

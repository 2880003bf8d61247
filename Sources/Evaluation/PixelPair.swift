/// Two 8-bit images of one shape, checked once: the input of every pixel metric.
///
/// Pixels are HWC: element (y, x, c) lies at (y·width + x)·channels + c. Metrics see value / 255,
/// so the data range is 1.
struct PixelPair {
    let first: [UInt8]
    let second: [UInt8]
    let height: Int
    let width: Int
    let channels: Int

    init(_ first: [UInt8], _ second: [UInt8], height: Int, width: Int, channels: Int) throws(MetricError) {
        let (area, areaOverflows) = height.multipliedReportingOverflow(by: width)
        let (count, countOverflows) = area.multipliedReportingOverflow(by: channels)
        guard height > 0, width > 0, channels > 0, !areaOverflows, !countOverflows else {
            throw .impossibleShape(height: height, width: width, channels: channels)
        }
        guard first.count == count else {
            throw .wrongByteCount(which: "first", got: first.count, expected: count)
        }
        guard second.count == count else {
            throw .wrongByteCount(which: "second", got: second.count, expected: count)
        }
        self.first = first
        self.second = second
        self.height = height
        self.width = width
        self.channels = channels
    }
}

/// A data set held as 8-bit samples: a quarter of what floats would take.
public struct InMemoryDataset: ImageDataset {
    public let count: Int
    public let channels: Int
    public let height: Int
    public let width: Int
    public let labelCount: Int?
    /// The names of the classes, `labelCount` of them, where the source has names.
    public let labelNames: [String]?

    /// What the images take in memory.
    public var byteCount: Int { pixels.count }

    /// NHWC.
    private let pixels: [UInt8]
    private let labels: [Int]?

    /// - Parameters:
    ///   - pixels: NHWC, count × height × width × channels samples.
    ///   - height: of every image.
    ///   - width: of every image.
    ///   - channels: 1 grey, 3 RGB.
    ///   - labels: one an image, each in 0..<`labelCount`, or nil.
    ///   - labelCount: classes; nil without labels.
    ///   - labelNames: one a class, where the data set has them.
    /// - Precondition: the counts agree, there is at least one image, and labels and their count are both there or not.
    public init(
        pixels: [UInt8], height: Int, width: Int, channels: Int, labels: [Int]? = nil, labelCount: Int? = nil,
        labelNames: [String]? = nil
    ) {
        let size = height * width * channels
        precondition(size > 0 && !pixels.isEmpty && pixels.count % size == 0, "expected whole images, at least one")
        count = pixels.count / size
        precondition((labels == nil) == (labelCount == nil), "labels come with their number of classes")
        precondition(labels == nil || labels!.count == count, "expected one label an image")
        precondition(labels == nil || labels!.allSatisfy { (0..<labelCount!).contains($0) }, "a label out of range")
        precondition(labelNames == nil || labelNames!.count == labelCount, "expected one name a class")
        self.pixels = pixels
        self.height = height
        self.width = width
        self.channels = channels
        self.labels = labels
        self.labelCount = labelCount
        self.labelNames = labelNames
    }

    public func read(_ index: Int, into destination: UnsafeMutablePointer<Float>) {
        precondition((0..<count).contains(index), "there is no such image")
        let size = height * width * channels
        pixels.withUnsafeBufferPointer { samples in
            for i in 0..<size { destination[i] = Image.signedUnit(samples[index * size + i]) }
        }
    }

    public func label(_ index: Int) -> Int? {
        precondition((0..<count).contains(index), "there is no such image")
        return labels?[index]
    }

    /// Image `index` as it is stored.
    public func image(_ index: Int) -> Image {
        precondition((0..<count).contains(index), "there is no such image")
        let size = height * width * channels
        return Image(
            width: width, height: height, channels: channels, pixels: Array(pixels[index * size..<(index + 1) * size]))
    }
}

/// Gathers images into one `InMemoryDataset`, each in the size and channels that the specification asks for.
struct DatasetAssembler {
    /// The maximum size of a data set in memory, in bytes.
    static let maximumBytes = 8 << 30

    private let specification: DatasetSpecification
    private let expectedCount: Int
    private var first: (file: String, width: Int, height: Int)?
    private var channels = 1
    private var pixels: [UInt8] = []

    init(_ specification: DatasetSpecification, expectedCount: Int) {
        self.specification = specification
        self.expectedCount = expectedCount
    }

    /// - Throws: `DatasetError.sizesDiffer` or `.tooLarge`.
    mutating func append(_ image: Image, from file: String) throws {
        var image = image
        if let asked = specification.channels {
            image = image.converted(toChannels: asked, over: specification.background)
        } else {
            image = image.compositing(over: specification.background)
        }
        if let size = specification.size {
            image = image.fitted(
                to: size, specification.fit, padding: specification.padding ?? specification.background)
        }
        if let first {
            guard image.width == first.width, image.height == first.height else {
                throw DatasetError.sizesDiffer(
                    file: file, size: "\(image.width)×\(image.height)", first: first.file,
                    firstSize: "\(first.width)×\(first.height)")
            }
        } else {
            first = (file, image.width, image.height)
            channels = image.channels
            try reserve(image.pixels.count)
        }
        if image.channels > channels {
            // The first image with colour: what came before was grey.
            channels = image.channels
            pixels = pixels.flatMap { [$0, $0, $0] }
            try reserve(image.pixels.count)
        }
        pixels.append(contentsOf: image.converted(toChannels: channels).pixels)
    }

    private mutating func reserve(_ bytesPerImage: Int) throws {
        let (bytes, overflow) = bytesPerImage.multipliedReportingOverflow(by: expectedCount)
        guard !overflow, bytes <= Self.maximumBytes else {
            throw DatasetError.tooLarge(
                path: specification.path,
                reason:
                    "\(expectedCount) images of \(bytesPerImage) bytes are more than \(Self.maximumBytes >> 30) GiB; "
                    + "give a smaller size or a limit")
        }
        pixels.reserveCapacity(bytes)
    }

    /// - Precondition: an image was appended.
    func finish(labels: [Int]?, labelCount: Int?, labelNames: [String]? = nil) -> InMemoryDataset {
        precondition(first != nil, "a data set holds at least one image")
        return InMemoryDataset(
            pixels: pixels, height: first!.height, width: first!.width, channels: channels, labels: labels,
            labelCount: labelCount, labelNames: labelNames)
    }
}

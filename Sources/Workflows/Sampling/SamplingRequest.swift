import Diffusion
import ModelFolders
import Models
import Runs

/// Which images to draw, and how.
public struct SamplingRequest: Sendable {
    /// 1 … `maximumCount`; nil for 64, or for as many as there is noise for.
    public var count: Int?
    public var seed = 0
    public var sampler = SamplerName.ddim
    public var steps = 50
    /// For a class-conditional model; nil for all classes in turn.
    public var classes: ClassChoice?
    /// Images that go through the model together; the images do not depend on it.
    public var batchSize = 16

    public static let maximumCount = 1_000_000
    static let defaultCount = 64

    public init() {}

    func validate(for model: UNet) throws {
        if let count, !(1...Self.maximumCount).contains(count) {
            throw RequestError.invalid(option: "--count", got: "\(count)", expected: "1...\(Self.maximumCount)")
        }
        guard seed >= 0 else { throw RequestError.invalid(option: "--seed", got: "\(seed)", expected: "at least 0") }
        guard (1...4096).contains(batchSize) else {
            throw RequestError.invalid(option: "--batch-size", got: "\(batchSize)", expected: "1...4096")
        }
        _ = try ClassChoice.resolved(classes, for: model.classConditioning)
        guard [1, 3, 4].contains(model.configuration.inChannels) else {
            throw ModelFolderError.noPictures(channels: model.configuration.inChannels)
        }
    }
}

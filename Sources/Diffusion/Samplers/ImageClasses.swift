/// The class that each image is drawn with, a function of the image's number alone.
public enum ImageClasses: Equatable, Sendable {
    /// The same for every image.
    case one(Float)
    /// Image i has class i mod `count`.
    case all(count: Int)

    public func label(of image: Int) -> Float {
        switch self {
        case .one(let label): label
        case .all(let count): Float(image % count)
        }
    }

    /// All classes of a model that counts them, else class 0 of one whose classes are numbers; nil for any other.
    public init?(everyOf conditioning: ClassConditioning) {
        switch conditioning {
        case .numbers(let count?): self = .all(count: count)
        case .numbers(nil): self = .one(0)
        case .none, .vectors: return nil
        }
    }
}

/// Images of one size, numbered from 0, with or without class labels.
public protocol ImageDataset: Sendable {
    var count: Int { get }
    /// 1 grey, 3 RGB, 4 RGBA.
    var channels: Int { get }
    var height: Int { get }
    var width: Int { get }
    /// The number of classes; nil when the images have no labels.
    var labelCount: Int? { get }

    /// Writes image `index` as HWC floats in [−1, 1].
    ///
    /// - Parameters:
    ///   - index: of the image.
    ///   - destination: room for height × width × channels floats.
    /// - Precondition: 0 ≤ `index` < `count`.
    func read(_ index: Int, into destination: UnsafeMutablePointer<Float>)

    /// The class of image `index`, 0 ≤ label < `labelCount`; nil when the images have no labels.
    func label(_ index: Int) -> Int?
}

import Evaluation
import Imagery

/// What to say of pictures that are too small for SSIM, which would otherwise be left out in silence.
enum SmallPairs {
    /// - Parameters:
    ///   - images: one of each pair.
    ///   - names: one a pair; numbers where empty.
    static func warning(_ pairs: ImageConsistency, _ images: [Image], names: [String] = []) -> String? {
        let side = StructuralSimilarity.windowSize
        let small = pairs.ssim.indices.filter { pairs.ssim[$0] == nil }
        guard let first = small.first else { return nil }
        guard small.count < images.count else {
            return "the images are smaller than SSIM's window of \(side)×\(side): there is no SSIM"
        }
        let name = names.isEmpty ? "picture \(first)" : names[first]
        let others = small.count > 1 ? " and \(small.count - 1) more are" : " is"
        return "\(name) (\(images[first].width)×\(images[first].height))\(others) smaller than SSIM's window of "
            + "\(side)×\(side): SSIM is over the other \(images.count - small.count) of \(images.count) pairs"
    }
}

import Evaluation
import Imagery

/// The picture that says most: dense, pruned and their difference side by side, a row a pair.
public enum ConsistencyGrid {
    /// How much differences are enlarged.
    static let amplification = 2

    /// - Parameters:
    ///   - rows: pairs shown, from the first: nothing is picked.
    ///   - names: one a pair; numbers where empty.
    /// - Throws: `ImageError`.
    public static func layOut(
        dense: [Image], pruned: [Image], pairs: ImageConsistency, names: [String] = [], rows: Int = 8
    ) throws -> Image {
        let shown = 0..<min(rows, dense.count)
        let cells = try shown.flatMap { index in
            let (a, b) = (dense[index].compositing(over: .black), pruned[index].compositing(over: .black))
            return [a, b, try Image.difference(a, b, amplification: Float(amplification))]
        }
        let side = dense.first.map { max($0.width, $0.height) } ?? 1
        let titles = shown.map { index in
            let name = names.isEmpty ? "#\(index)" : short(names[index])
            guard let ssim = pairs.ssim?[index] else {
                return "\(name) PSNR \(PeakSignalToNoise.capped(pairs.psnr[index]).formatted(digits: 1))"
            }
            return "\(name) SSIM \(ssim.formatted(digits: 2))"
        }
        let grid = ImageGrid(
            columns: 3, padding: 6, scale: ImageGrid.scale(forSide: side, shown: 112), textScale: 2, rowTitles: titles,
            columnTitles: ["dense", "pruned", "diff. x\(amplification)"])
        return try grid.layOut(cells)
    }

    /// All pictures of one model, close together and unscaled.
    static func sheet(_ images: [Image], limit: Int = 64) throws -> Image {
        try ImageGrid(columns: 8, padding: 1).layOut(Array(images.prefix(limit)))
    }

    private static func short(_ name: String) -> String { name.count > 12 ? ".." + name.suffix(10) : name }
}

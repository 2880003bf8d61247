import Diffusion
import Evaluation
import Foundation
import Imagery
import Reports

/// The picture that says most: dense, pruned and their difference side by side, a row a pair.
enum ConsistencyGrid {
    /// Pairs that are shown: the first ones, nothing is picked.
    static let shownPairs = 8

    /// - Parameters:
    ///   - range: pairs to show.
    ///   - names: one a pair; numbers where empty.
    ///   - classes: of the pictures; shown where there are several.
    /// - Throws: `ImageError`.
    static func layOut(
        dense: [Image], pruned: [Image], pairs: ImageConsistency, names: [String] = [], classes: ImageClasses? = nil,
        range: Range<Int>
    ) throws -> Image {
        let cells = try range.flatMap { index in
            let (a, b) = (dense[index].compositing(over: .black), pruned[index].compositing(over: .black))
            return [a, b, try Image.difference(a, b, amplification: 1)]
        }
        let captions = range.flatMap { index in
            let psnr = NumberText.plain(PeakSignalToNoise.capped(pairs.psnr[index]), decimals: 1)
            let ssim = pairs.ssim.map { "SSIM \(NumberText.plain($0[index], decimals: 2))" } ?? ""
            let name = names.isEmpty ? number(index, classes) : short(names[index])
            return [name, ssim, "\(psnr) dB"]
        }
        let side = dense.first.map { max($0.width, $0.height) } ?? 1
        let grid = ImageGrid(
            columns: 3, padding: 8, scale: ImageGrid.scale(forSide: side, shown: 96), textScale: 2,
            columnTitles: ["dense", "pruned", "difference"], captions: captions)
        return try grid.layOut(cells)
    }

    /// The pairs shown as PNG files: all in one, and in two halves that a report can set beside each other.
    static func encoded(
        dense: [Image], pruned: [Image], pairs: ImageConsistency, names: [String] = [], classes: ImageClasses? = nil
    ) throws -> (whole: Data, halves: [Data]) {
        func png(_ range: Range<Int>) throws -> Data {
            try PNG.encode(
                layOut(dense: dense, pruned: pruned, pairs: pairs, names: names, classes: classes, range: range))
        }
        let count = min(shownPairs, dense.count)
        let middle = (count + 1) / 2
        return (try png(0..<count), try [0..<middle, middle..<count].filter { !$0.isEmpty }.map(png))
    }

    /// The first pictures of one model, close together: as many as can be told apart at a width of about 400 pixels.
    /// Pictures of all classes lie in a column a class where there is room for that.
    static func sheet(_ images: [Image], classes: ImageClasses? = nil) throws -> Image {
        let side = images.first.map { max($0.width, $0.height) } ?? 1
        let scale = max(1, 64 / side)
        let room = min(max(400 / (side * scale + 1), 2), 12)
        var columns = room
        if case .all(let count)? = classes, (2...room).contains(count) { columns = count }
        return try ImageGrid(columns: columns, padding: 1, scale: scale).layOut(Array(images.prefix(columns * room)))
    }

    private static func number(_ index: Int, _ classes: ImageClasses?) -> String {
        if case .all(let count)? = classes { "#\(index) class \(index % count)" } else { "#\(index)" }
    }

    private static func short(_ name: String) -> String { name.count > 11 ? ".." + name.suffix(9) : name }
}

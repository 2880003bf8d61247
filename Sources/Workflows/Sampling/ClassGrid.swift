import Diffusion
import Imagery

/// Pictures of several classes on one sheet.
enum ClassGrid {
    /// As many classes stand beside each other; more get a caption at each picture.
    private static let maximumColumns = 16

    /// A square-ish grid; pictures of all classes lie in a column a class, or have their class below them.
    static func layOut(_ images: [Image], classes: ImageClasses?) throws -> Image {
        guard case .all(let count)? = classes, count > 1, let first = images.first else {
            return try ImageGrid.square(of: images)
        }
        let scale = ImageGrid.scale(forSide: max(first.width, first.height))
        if count <= maximumColumns, images.count >= count {
            return try ImageGrid(columns: count, scale: scale, columnTitles: (0..<count).map { "class \($0)" })
                .layOut(images)
        }
        let columns = max(1, Int(Double(images.count).squareRoot().rounded(.up)))
        return try ImageGrid(
            columns: columns, scale: scale, captions: images.indices.map { "class \($0 % count)" }
        ).layOut(images)
    }
}

extension ImageGrid {
    /// Images in about as many rows as columns, enlarged so that small ones can be seen.
    /// - Throws: `ImageError`.
    public static func square(of images: [Image]) throws -> Image {
        let columns = max(1, Int(Double(images.count).squareRoot().rounded(.up)))
        let side = images.first.map { max($0.width, $0.height) } ?? 1
        return try ImageGrid(columns: columns, scale: scale(forSide: side)).layOut(images)
    }
}

/// The one augmentation that keeps an image's statistics: left and right exchanged.
public enum HorizontalFlip {
    /// Reverses each row in place.
    ///
    /// - Parameters:
    ///   - image: HWC floats, height × width × channels.
    ///   - height: rows.
    ///   - width: pixels of a row.
    ///   - channels: values of a pixel.
    public static func apply(to image: UnsafeMutablePointer<Float>, height: Int, width: Int, channels: Int) {
        for y in 0..<height {
            let row = image + y * width * channels
            for x in 0..<width / 2 {
                let left = row + x * channels
                let right = row + (width - 1 - x) * channels
                for c in 0..<channels { swap(&left[c], &right[c]) }
            }
        }
    }
}

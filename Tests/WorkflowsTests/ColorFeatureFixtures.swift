import Foundation
import Imagery
import TestSupport

/// The colour feature net that ships, and pictures that it was not trained on.
enum ColorFeatureFixtures {
    static let model = Repository.url("Samples/models/emoji-features")

    static let perClass = 12

    /// Emoji of the test split, `perClass` of each class in the order of the net's classes: the cells of emoji.png.
    static func images() throws -> [Image] {
        let sheet = try PNG.read(Repository.url("Tests/Fixtures/features/emoji.png"))
        let side = 32
        var images: [Image] = []
        for top in stride(from: 0, to: sheet.height, by: side) {
            for left in stride(from: 0, to: sheet.width, by: side) {
                var pixels: [UInt8] = []
                for row in top..<top + side {
                    let start = (row * sheet.width + left) * 3
                    pixels += sheet.pixels[start..<start + side * 3]
                }
                images.append(Image(width: side, height: side, channels: 3, pixels: pixels))
            }
        }
        return images
    }
}

extension Image {
    /// Red and blue in each other's place.
    var redAndBlueSwapped: Image {
        var swapped = pixels
        for pixel in stride(from: 0, to: pixels.count, by: 3) { swapped.swapAt(pixel, pixel + 2) }
        return Image(width: width, height: height, channels: 3, pixels: swapped)
    }

    /// Every pixel the mean of those up to `radius` away in each direction, the edge repeated.
    func blurred(radius: Int) -> Image {
        var out: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                for channel in 0..<channels {
                    var sum = 0
                    for row in y - radius...y + radius {
                        for column in x - radius...x + radius {
                            let (inside, across) = (min(max(row, 0), height - 1), min(max(column, 0), width - 1))
                            sum += Int(pixels[(inside * width + across) * channels + channel])
                        }
                    }
                    out.append(UInt8(sum / ((2 * radius + 1) * (2 * radius + 1))))
                }
            }
        }
        return Image(width: width, height: height, channels: channels, pixels: out)
    }
}

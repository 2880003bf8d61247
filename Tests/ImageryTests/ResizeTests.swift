import TestSupport
import Testing

@testable import Imagery

struct ResizeTests {
    @Test(arguments: ["grey-shrink", "rgb-mixed", "rgb-grow", "rgb-far", "rgba-shrink"])
    func agreesWithPillowWithinOneLevel(name: String) throws {
        let input = try PNG.read(Fixtures.url("imagery/resize/\(name)-in.png"))
        let expected = try PNG.read(Fixtures.url("imagery/resize/\(name)-out.png"))
        let got = input.resized(toWidth: expected.width, height: expected.height)
        #expect(got.channels == expected.channels)
        var worst = 0
        for pixel in 0..<expected.width * expected.height {
            let start = pixel * expected.channels
            // Unpremultiplying magnifies the rounding of an 8-bit intermediate where alpha is small.
            let alpha = expected.channels == 4 ? Int(expected.pixels[start + 3]) : 255
            for i in start..<start + expected.channels {
                let distance = abs(Int(got.pixels[i]) - Int(expected.pixels[i]))
                worst = max(worst, distance * alpha / 255)
            }
        }
        #expect(worst <= 1, "\(name): \(worst) levels apart")
    }

    @Test func wholeNumberEnlargementRepeatsPixels() {
        let image = Image(width: 2, height: 1, channels: 3, pixels: [1, 2, 3, 4, 5, 6])
        #expect(
            image.resized(toWidth: 4, height: 2).pixels
                == [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6, 1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6])
        #expect(image.enlarged(by: 2) == image.resized(toWidth: 4, height: 2))
    }

    @Test func oneColourStaysThatColour() {
        let image = Image(width: 13, height: 29, channels: 4, filledWith: RGBColor(3, 250, 128))
        #expect(
            image.resized(toWidth: 5, height: 31)
                == Image(
                    width: 5, height: 31, channels: 4, filledWith: RGBColor(3, 250, 128)))
    }

    @Test func transparentColourDoesNotBleed() {
        // Invisible green beside opaque red: the blend must stay red.
        let image = Image(width: 2, height: 1, channels: 4, pixels: [255, 0, 0, 255, 0, 255, 0, 0])
        #expect(image.resized(toWidth: 1, height: 1).pixels == [255, 0, 0, 128])
    }

    @Test func padCentresAndShrinksOnlyWhatIsTooLong() {
        let small = Image(width: 2, height: 1, channels: 1, pixels: [7, 9])
        #expect(
            small.fitted(to: 4, .pad, padding: RGBColor(1, 1, 1)).pixels
                == [1, 1, 1, 1, 1, 7, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1])
        let wide = Image(width: 8, height: 4, channels: 1, filledWith: .white)
        #expect(
            wide.fitted(to: 4, .pad, padding: .black).pixels
                == [0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0])
        let thin = Image(width: 1, height: 4000, channels: 1, filledWith: .white)
        #expect(
            thin.fitted(to: 4, .pad, padding: .black).pixels == [
                0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0,
            ])
        #expect(wide.fitted(to: 4, .resize, padding: .black).pixels == [UInt8](repeating: 255, count: 16))
    }
}

import Testing

@testable import Imagery

struct ImageTests {
    @Test func signedUnitRoundsHalfToEvenAndClamps() throws {
        // (x + 1) · 127.5: −1 → 0, 1 → 255, 0 → 127.5 → 128 (the one exact tie), and either side of 0.5.
        let half = Float(0.5 / 127.5 - 1)
        let values: [Float] = [-1, 1, 0, -2, 7, .infinity, -.infinity, -0.5, half.nextDown, half.nextUp]
        let image = try Image(signedUnit: values, height: 1, width: 10, channels: 1)
        #expect(image.pixels == [0, 255, 128, 0, 255, 255, 0, 64, 0, 1])
    }

    @Test func signedUnitAndBackIsTheSameImage() throws {
        let image = Image(width: 16, height: 16, channels: 1, pixels: (0...255).map { UInt8($0) })
        let floats = image.signedUnit
        #expect(floats.first == -1 && floats.last == 1)
        #expect(try Image(signedUnit: floats, height: 16, width: 16, channels: 1) == image)
    }

    @Test func nanIsRefusedAndLocated() {
        var values = [Float](repeating: 0, count: 2 * 3 * 3)
        values[3 * 3 + 2 * 3 + 1] = .nan
        let error = #expect(throws: ImageError.self) {
            try Image(signedUnit: values, height: 2, width: 3, channels: 3)
        }
        #expect(error == .notANumber(index: 16, height: 2, width: 3, channels: 3))
        #expect("\(error!)".contains("row 1, column 2, channel 1"))
    }

    @Test func conversionsBetweenNumbersOfChannels() {
        let colours = Image(width: 2, height: 1, channels: 3, pixels: [255, 0, 0, 10, 200, 30])
        // 0.299 · 255 = 76.245; 2.99 + 117.4 + 3.42 = 123.81.
        #expect(colours.converted(toChannels: 1).pixels == [76, 124])
        #expect(colours.converted(toChannels: 4).pixels == [255, 0, 0, 255, 10, 200, 30, 255])
        let grey = Image(width: 2, height: 1, channels: 1, pixels: [0, 77])
        #expect(grey.converted(toChannels: 3).pixels == [0, 0, 0, 77, 77, 77])
        #expect(grey.converted(toChannels: 3).converted(toChannels: 1) == grey)
        #expect(
            Image(width: 1, height: 1, channels: 3, pixels: [255, 255, 255]).converted(toChannels: 1).pixels == [255])
    }

    @Test func compositingWeighsByAlpha() {
        let image = Image(width: 3, height: 1, channels: 4, pixels: [9, 8, 7, 255, 9, 8, 7, 0, 200, 100, 0, 51])
        // 51 / 255 = 0.2: 0.2 · (200, 100, 0) + 0.8 · (10, 20, 30).
        #expect(image.compositing(over: RGBColor(10, 20, 30)).pixels == [9, 8, 7, 10, 20, 30, 48, 36, 24])
        let opaque = noiseImage(3, 3, 3)
        #expect(opaque.compositing(over: .white) == opaque)
    }

    @Test func differenceIsMidGreyWhereEqual() throws {
        let a = Image(width: 5, height: 1, channels: 1, pixels: [100, 100, 100, 0, 255])
        let b = Image(width: 5, height: 1, channels: 1, pixels: [100, 110, 95, 255, 0])
        #expect(try Image.difference(a, b, amplification: 4).pixels == [128, 168, 108, 255, 0])
        #expect(try Image.difference(a, b, amplification: 0.5).pixels == [128, 133, 126, 255, 1])
        #expect(throws: ImageError.self) { try Image.difference(a, noiseImage(5, 2, 1)) }
        #expect(throws: ImageError.self) { try Image.difference(a, noiseImage(5, 1, 3)) }
    }

    @Test func horizontalFlipReversesRowsOnly() {
        // 2 × 3 pixels of 2 channels.
        var image: [Float] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
        HorizontalFlip.apply(to: &image, height: 2, width: 3, channels: 2)
        #expect(image == [4, 5, 2, 3, 0, 1, 10, 11, 8, 9, 6, 7])
        HorizontalFlip.apply(to: &image, height: 2, width: 3, channels: 2)
        #expect(image == (0..<12).map(Float.init))
    }
}

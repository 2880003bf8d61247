import Imagery
import Testing

@testable import Evaluation

@Suite struct ImageConsistencyTests {
    private func image(_ level: UInt8, size: Int = 12, channels: Int = 3) -> Image {
        Image(width: size, height: size, channels: channels, filledWith: RGBColor(level, level, level))
    }

    @Test func pairsAreJudgedOneByOne() throws {
        let result = try ImageConsistency([image(0), image(9)], [image(255), image(9)])
        #expect(result.meanSquaredError == [1, 0])
        #expect(result.psnr == [0, .infinity])
        #expect(result.ssim[1] == 1)
        // Flat pictures of 0 and 1: C₁ / (1 + C₁).
        #expect(abs(try #require(result.ssim[0]) - 1e-4 / (1 + 1e-4)) < 1e-12)
    }

    @Test func transparencyLiesOverBlack() throws {
        let clear = Image(width: 12, height: 12, channels: 4, pixels: [UInt8](repeating: 0, count: 576))
        #expect(try ImageConsistency([clear], [image(0)]).meanSquaredError == [0])
    }

    @Test func smallImagesAloneHaveNoSSIM() throws {
        let images = [image(0, size: 10), image(0)]
        #expect(try ImageConsistency(images, images).ssim == [nil, 1])
    }

    @Test func whatDoesNotPairUpIsRefused() {
        #expect(throws: MetricError.self) { try ImageConsistency([], []) }
        #expect(throws: MetricError.self) { try ImageConsistency([image(0)], []) }
        #expect(throws: ImageError.self) { try ImageConsistency([image(0)], [image(0, size: 13)]) }
        #expect(throws: ImageError.self) { try ImageConsistency([image(0)], [image(0, channels: 1)]) }
    }
}

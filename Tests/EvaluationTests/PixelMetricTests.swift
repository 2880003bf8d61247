import Evaluation
import Foundation
import Statistics
import TestSupport
import Testing

private struct ImagePair: Decodable {
    let name: String
    let height: Int
    let width: Int
    let channels: Int
    let first: Data
    let second: Data
    let ssimPytorchMSSSIM: Double
    let ssimScikitImage: Double
    let mse: Double
    let psnr: Double?

    enum CodingKeys: String, CodingKey {
        case name, height, width, channels, first, second, mse, psnr
        case ssimPytorchMSSSIM = "ssim_pytorch_msssim"
        case ssimScikitImage = "ssim_scikit_image"
    }
}

@Suite struct PixelMetricTests {
    private let pairs: [ImagePair]

    init() throws {
        pairs = try Fixtures.json("evaluation/metrics.json", as: [ImagePair].self)
    }

    @Test func similarityAgreesWithScikitImageAndPytorchMSSSIM() throws {
        for pair in pairs {
            let ssim = try StructuralSimilarity.value(
                [UInt8](pair.first), [UInt8](pair.second), height: pair.height, width: pair.width,
                channels: pair.channels)
            #expect(close(ssim, pair.ssimScikitImage, 1e-12), "\(pair.name): \(ssim)")
            // pytorch_msssim makes its window in float32 even for double images.
            #expect(close(ssim, pair.ssimPytorchMSSSIM, 1e-6), "\(pair.name): \(ssim)")
        }
    }

    @Test func errorAndNoiseRatioAgreeWithScikitImage() throws {
        for pair in pairs {
            let (first, second) = ([UInt8](pair.first), [UInt8](pair.second))
            let mse = try MeanSquaredError.value(
                first, second, height: pair.height, width: pair.width, channels: pair.channels)
            let psnr = try PeakSignalToNoise.value(
                first, second, height: pair.height, width: pair.width, channels: pair.channels)
            #expect(close(mse, pair.mse, 1e-14), "\(pair.name)")
            #expect(close(psnr, pair.psnr ?? .infinity, 1e-12) || psnr == pair.psnr ?? .infinity, "\(pair.name)")
        }
    }

    @Test func similarityIsSymmetric() throws {
        let pair = pairs[0]
        let (first, second) = ([UInt8](pair.first), [UInt8](pair.second))
        let forward = try StructuralSimilarity.value(
            first, second, height: pair.height, width: pair.width, channels: pair.channels)
        let backward = try StructuralSimilarity.value(
            second, first, height: pair.height, width: pair.width, channels: pair.channels)
        #expect(forward == backward)
    }

    @Test func identicalPairsAreCountedAndCapped() throws {
        let (statistics, identical) = try PeakSignalToNoise.summary(of: [.infinity, 20, .infinity, 40])
        #expect(identical == 2)
        #expect(statistics.mean == 65)
        #expect(statistics.maximum == PeakSignalToNoise.cap)
        let json = try JSONEncoder().encode(statistics)
        #expect(String(decoding: json, as: UTF8.self).contains("\"mean\":65"))
        #expect(throws: StatisticsError.notFinite(what: "the list of measurements", index: 1)) {
            try PeakSignalToNoise.summary(of: [20, .nan])
        }
    }

    @Test func smallImagesAreRefused() {
        let bytes = [UInt8](repeating: 0, count: 10 * 32 * 3)
        #expect(throws: MetricError.imageTooSmall(height: 10, width: 32, window: 11)) {
            try StructuralSimilarity.value(bytes, bytes, height: 10, width: 32, channels: 3)
        }
        #expect(MetricError.imageTooSmall(height: 10, width: 32, window: 11).description.contains("got 10×32"))
    }

    @Test func impossibleShapesAreRefused() {
        for (height, width, channels) in [(0, 4, 1), (4, -1, 1), (4, 4, 0), (.max, 2, 1), (1 << 40, 1 << 40, 3)] {
            #expect(throws: MetricError.impossibleShape(height: height, width: width, channels: channels)) {
                try MeanSquaredError.value([], [], height: height, width: width, channels: channels)
            }
        }
        #expect(throws: MetricError.wrongByteCount(which: "second", got: 2, expected: 4)) {
            try MeanSquaredError.value([0, 0, 0, 0], [0, 0], height: 2, width: 2, channels: 1)
        }
    }
}

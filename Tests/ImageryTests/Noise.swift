import Foundation

@testable import Imagery

/// The same numbers on every run.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 33)
    }
}

func noiseImage(_ width: Int, _ height: Int, _ channels: Int, seed: UInt64 = 1) -> Image {
    Image(
        width: width, height: height, channels: channels, pixels: noise(width * height * channels, seed: seed))
}

func folder(_ parent: URL, _ name: String) throws -> URL {
    let url = parent.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    return url
}

/// The message of the error `body` throws; "" when it throws none.
func message(_ body: () throws -> Void) -> String {
    do {
        try body()
        return ""
    } catch {
        return "\(error)"
    }
}

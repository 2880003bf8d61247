import TestSupport
import Foundation

@testable import Diffusion

/// Files that Tests/Fixtures/schedulers/make.py wrote.
enum ScheduleFixtures {
    static func data(_ name: String) throws -> Data {
        try Data(contentsOf: Fixtures.url("schedulers/\(name)"))
    }

    static func load<Content: Decodable>(_ name: String) throws -> Content {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Content.self, from: data(name))
    }

    struct ScheduleCase: Decodable {
        /// Keys rewritten in camel case by the decoder, so read as such.
        struct Configuration: Decodable {
            var numTrainTimesteps: Int
            var betaSchedule: BetaSchedule?
            var trainedBetas: [Double]?
            var rescaleBetasZeroSnr: Bool
        }
        let configuration: Configuration
        let at: [Int]
        let betas: [Double]
        let alphasCumprod: [Double]
    }

    struct SpacingCase: Decodable {
        let train: Int
        let count: Int
        let spacing: TimestepSpacing
        let offset: Int
        let timesteps: [Int]
    }

    /// The largest |got − expected|; infinite where the lengths differ or a NaN is about.
    static func maximumDifference(_ got: some Collection<Float>, _ expected: some Collection<Float>) -> Float {
        guard got.count == expected.count else { return .infinity }
        return zip(got, expected).reduce(0) { worst, pair in
            let difference = abs(pair.0 - pair.1)
            return difference.isNaN ? .infinity : max(worst, difference)
        }
    }
}

import Foundation
import PruningMethods
import Testing

@Suite struct PressureLawTests {
    /// What the authors measured of ResNet-50 on CIFAR-10 in one run whose pressure doubles every 50 epochs, from 2⁻¹⁰
    /// to 2⁵: percent of the weights left.
    private static let published = zip(
        -10...5,
        [
            93.4558, 74.055, 47.7587, 33.0958, 24.4001, 18.4732, 14.0336, 10.539, 7.6724, 5.3308, 3.4888, 2.1626,
            1.3027,
            0.7882, 0.4806, 0.2886,
        ]
    ).map { PressureLaw.Point(pressure: pow(2, Double($0)), remaining: $1 / 100) }

    @Test func theFitOfThePublishedTraceIsThePublishedOne() throws {
        let pure = try PressureLaw(fitting: Self.published, form: .pure)
        #expect(abs(pure.exponent - 0.541) < 5e-4 && abs(pure.determination - 0.987) < 5e-4)
        #expect(abs(pure.scale - 0.02735) < 1e-5 && pure.curvature == 0)
        let quadratic = try PressureLaw(fitting: Self.published, form: .quadratic)
        #expect(abs(quadratic.determination - 0.9975) < 1e-4)
        #expect(abs(quadratic.exponent - 0.60812) < 1e-5 && abs(quadratic.curvature - 0.019382) < 1e-6)
    }

    /// Points of a law give it back, and the pressure that it says leaves what was asked for.
    @Test(arguments: [PressureLaw.Form.pure, .quadratic]) func pointsOfALawGiveItBack(form: PressureLaw.Form) throws {
        let curvature = form == .pure ? 0 : 0.03
        let points = [0.02, 0.3, 1, 7, 90].map { pressure in
            let x = log(pressure)
            return PressureLaw.Point(pressure: pressure, remaining: 0.2 * exp(-(0.6 * x + curvature * x * x)))
        }
        let law = try PressureLaw(fitting: points, form: form)
        #expect(abs(law.scale - 0.2) < 1e-12 && abs(law.exponent - 0.6) < 1e-12)
        #expect(abs(law.curvature - curvature) < 1e-12 && abs(law.determination - 1) < 1e-12)
        for point in points {
            #expect(abs(law.remaining(at: point.pressure) / point.remaining - 1) < 1e-10)
            let found = try #require(law.pressure(leaving: point.remaining))
            #expect(abs(found / point.pressure - 1) < 1e-9)
        }
    }

    /// On the side where more pressure leaves less; nothing where the law turns before.
    @Test func thePressureIsThatOfTheFallingBranch() throws {
        func law(_ values: [Double]) throws -> PressureLaw {
            let points = zip([0.1, 1, 10], values).map { PressureLaw.Point(pressure: $0, remaining: $1) }
            return try PressureLaw(fitting: points, form: .quadratic)
        }
        // It turns at γ = 66, where 3 % is left.
        let cup = try law([0.5, 0.1, 0.04])
        #expect(cup.curvature < 0)
        #expect(cup.pressure(leaving: 1e-6) == nil)
        let pressure = try #require(cup.pressure(leaving: 0.2))
        #expect(pressure > 0.1 && pressure < 1)
        let rising = try PressureLaw(
            fitting: [.init(pressure: 1, remaining: 0.1), .init(pressure: 2, remaining: 0.2)], form: .pure)
        #expect(rising.pressure(leaving: 0.15) == nil)
    }

    @Test func aLawNeedsDifferentPressures() throws {
        let point = PressureLaw.Point(pressure: 1, remaining: 0.5)
        #expect {
            _ = try PressureLaw(fitting: [point, point, point], form: .quadratic)
        } throws: { "\($0)".contains("there are 1 pressures") && "\($0)".contains("at least 3") }
        let flat = try PressureLaw(fitting: [point, .init(pressure: 2, remaining: 0.5)], form: .pure)
        #expect(flat.exponent == 0 && flat.determination == 1 && flat.pressure(leaving: 0.2) == nil)
    }
}

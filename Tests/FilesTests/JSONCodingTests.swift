import Files
import Foundation
import TestSupport
import Testing

/// Typed values in and out of `JSONValue`, against what Foundation writes for the same.
@Suite struct JSONCodingTests {
    private enum Choice: String, Codable, CaseIterable { case first, second = "2nd" }

    private enum Shape: Codable, Equatable {
        case point
        case circle(radius: Double)
        case box(Int, Int)
    }

    private struct State: Codable, Equatable {
        var name = "é\" 漢 😀"
        var rates: [Double] = [0.1, 1e-300, 1 / 3, 4, -7.5, 1e22]
        var small: Float = 0.1
        var counter = Int64.max
        var byte: UInt8 = 255
        var flag = true
        var missing: Int?
        var given: Int? = 3
        var holes: [Int?] = [1, nil, 3]
        var byName: [String: [Int]] = ["b": [1, 2], "a": []]
        var choice = Choice.second
        var shapes = [Shape.point, .circle(radius: 2), .box(1, 2)]
        var empty = Nothing()
        var pair = Pair(first: 1, second: "two")
    }

    private struct Nothing: Codable, Equatable {}

    /// Without keys, and with a nested container.
    private struct Pair: Codable, Equatable {
        var first: Int
        var second: String

        init(first: Int, second: String) { (self.first, self.second) = (first, second) }

        init(from decoder: any Decoder) throws {
            var list = try decoder.unkeyedContainer()
            first = try list.decode(Int.self)
            var inner = try list.nestedUnkeyedContainer()
            second = try inner.decode(String.self)
        }

        func encode(to encoder: any Encoder) throws {
            var list = encoder.unkeyedContainer()
            try list.encode(first)
            var inner = list.nestedUnkeyedContainer()
            try inner.encode(second)
        }
    }

    private class Base: Codable {
        var base = 1
    }

    private final class Derived: Base {
        var derived = 2.5

        override init() { super.init() }

        private enum Keys: CodingKey { case derived }

        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            derived = try container.decode(Double.self, forKey: .derived)
            try super.init(from: container.superDecoder())
        }

        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode(derived, forKey: .derived)
            try super.encode(to: container.superEncoder())
        }
    }

    private func foundation(_ value: some Encodable) throws -> JSONValue {
        try JSONValue(parsing: [UInt8](JSONEncoder().encode(value)))
    }

    @Test func valuesAreWrittenAsFoundationWritesThem() throws {
        let state = State()
        let value = try JSONValue(encoding: state)
        #expect(try value == foundation(state))
        #expect(try value.decoded(as: State.self) == state)
        #expect(try JSONValue(parsing: value.text()).decoded(as: State.self) == state)
        #expect(try JSONValue(encoding: Derived()) == foundation(Derived()))
        #expect(try JSONValue(parsing: #"{"derived": 3, "super": {"base": 4}}"#).decoded(as: Derived.self).base == 4)
        for fragment in [JSONValue.int(3), "text", [], nil, true] {
            #expect(try fragment.decoded(as: JSONFragment.self).value == fragment)
        }
    }

    /// Through text as well, bit for bit.
    @Test func everyNumberComesBackExactly() throws {
        var bits: UInt64 = 1
        var doubles = [
            0, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 0x1p53, 0x1p53 + 2, -0x1p63, 1e16, 123_456_789.5,
        ]
        var floats: [Float] = [0, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 0.1, 16_777_216, 3.4e38]
        for _ in 0..<2000 {
            bits = bits &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let (double, float) = (Double(bitPattern: bits), Float(bitPattern: UInt32(bits >> 32)))
            if double.isFinite { doubles.append(double) }
            if float.isFinite { floats.append(float) }
        }
        let written = try JSONValue(parsing: JSONValue(encoding: doubles).text(.compact))
        #expect(try written.decoded(as: [Double].self).map(\.bitPattern) == doubles.map(\.bitPattern))
        let short = try JSONValue(parsing: JSONValue(encoding: floats).text(.compact))
        #expect(try short.decoded(as: [Float].self).map(\.bitPattern) == floats.map(\.bitPattern))
        #expect(try JSONValue(encoding: Float(0.1)) == .double(0.1))
        let integers: [Int64] = [.min, .max, (1 << 53) + 1]
        #expect(try JSONValue(encoding: integers).decoded(as: [Int64].self) == integers)
    }

    @Test func aWholeNumberIsOneKindOfNumber() throws {
        #expect(try JSONValue(encoding: 4.0) == .int(4))
        #expect(try JSONValue(encoding: 1e300) == .double(1e300))
        #expect(try JSONValue.int(4).decoded(as: Double.self) == 4)
        #expect(try JSONValue.double(4).decoded(as: Int.self) == 4)
    }

    @Test func whatDoesNotFitIsRefused() throws {
        #expect(throws: EncodingError.self) { try JSONValue(encoding: UInt64.max) }
        #expect(throws: EncodingError.self) { try JSONValue(encoding: [1, .nan]) }
        #expect(throws: EncodingError.self) { try JSONValue(encoding: -Float.infinity) }
        func refusal<Value: Decodable>(_ value: JSONValue, _ type: Value.Type) -> String {
            "\(error(SettingError.self) { _ = try value.decoded(as: type) }.map { "\($0)" } ?? "none")"
        }
        #expect(refusal(1.5, Int.self) == "got 1.5, expected a whole number")
        #expect(refusal(256, UInt8.self) == "got 256, expected a whole number in 0...255")
        #expect(refusal(-1, UInt.self).contains("expected a whole number in 0..."))
        #expect(refusal(1e39, Float.self) == "got 1e+39, expected a number of 32 bits")
        #expect(refusal(1, Bool.self) == "got 1, expected true or false")
        #expect(refusal(nil, Int.self) == "got null, expected a whole number")
        #expect(refusal([1], Pair.self) == "got 1 values, expected at least 2")
        #expect(refusal(3, [String: Int].self) == "got 3, expected an object")
        #expect(refusal("x", [Int].self) == "got 'x', expected a list")
        #expect(refusal("frist", Choice.self) == "got 'frist', expected one of first, 2nd (did you mean 'first'?)")
    }

    @Test func errorsNameThePlace() throws {
        func refusal(_ change: (inout [String: JSONValue]) -> Void) throws -> SettingError? {
            guard case .object(var members) = try JSONValue(encoding: State()) else { return nil }
            change(&members)
            return error(SettingError.self) { _ = try JSONValue.object(members).decoded(as: State.self) }
        }
        #expect(
            try refusal { $0["byName"] = ["a": [1, "two"]] }
                == SettingError(key: "byName.a[1]", got: "'two'", expected: "a whole number"))
        #expect(
            try refusal { $0["rates"] = nil } == SettingError(key: "rates", got: "missing", expected: "a value"))
        #expect(try refusal { $0["pair"] = [1, [nil]] }?.description == "'pair[1][0]' is null, expected text")
        let long = try refusal { $0["counter"] = .string(String(repeating: "long", count: 1000)) }
        #expect((long?.description.count ?? 0) < 300)
    }

    /// Any document at all, read through the decoder's containers.
    private struct JSONFragment: Decodable {
        let value: JSONValue

        init(from decoder: any Decoder) throws {
            if let list = try? decoder.unkeyedContainer(), list.isAtEnd {
                value = []
                return
            }
            let single = try decoder.singleValueContainer()
            if single.decodeNil() {
                value = nil
            } else if let flag = try? single.decode(Bool.self) {
                value = .bool(flag)
            } else if let number = try? single.decode(Int.self) {
                value = .int(number)
            } else {
                value = .string(try single.decode(String.self))
            }
        }
    }
}

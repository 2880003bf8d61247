import Files
import TestSupport
import Testing

@Suite struct NameTests {
    @Test func numbersInFileNamesSortAsNumbersDo() {
        let numbers = [0, 7, 10, 99, 123_456, 999_999]
        let names = numbers.map(FileNumber.text)
        #expect(names == names.sorted() && names[1] == "000007" && names.allSatisfy { $0.count == 6 })
        #expect(FileNumber.text(1_234_567) == "1234567")
        #expect(UInt16(0xAB).padded(to: 4, radix: 16) == "00ab" && 12345.padded(to: 2) == "12345")
    }

    private enum Size: String, CaseIterable {
        case small
        case veryLarge = "very-large"
    }

    @Test func aChoiceIsReadByItsName() throws {
        #expect(try Size(named: "very-large", kind: "size") == .veryLarge)
        let near = error(UnknownName.self) { _ = try Size(named: "very-lrage", kind: "size") }
        #expect(
            near.map { "\($0)" }
                == "unknown size 'very-lrage', did you mean 'very-large'?; expected one of small, very-large")
        let far = error(UnknownName.self) { _ = try Size(named: "blue", kind: "size") }
        #expect(far.map { "\($0)" } == "unknown size 'blue'; expected one of small, very-large")
        #expect(far == UnknownName(kind: "size", name: "blue", legal: ["small", "very-large"]))
    }
}

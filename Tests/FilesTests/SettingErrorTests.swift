import Files
import TestSupport
import Testing

@Suite struct SettingErrorTests {
    @Test func aSettingIsRefusedByItsKey() throws {
        try require(true, "steps", got: "never seen", expected: "nothing")
        let refusal = error(SettingError.self) { try require(false, "steps", got: -1, expected: "at least 0") }
        #expect("\(try #require(refusal))" == "'steps' is -1, expected at least 0")
        let placed = error(SettingError.self) {
            try SettingError.within("training") { try require(false, "steps", got: -1, expected: "at least 0") }
        }
        #expect(placed?.key == "training.steps")
    }

    @Test func hostileKeysAndValuesAreCut() {
        let long = SettingError(
            key: String(repeating: "k", count: 9999), got: Array(repeating: 1, count: 9999), expected: "less")
        #expect("\(long)".count < 500)
    }
}

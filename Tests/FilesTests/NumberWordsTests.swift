import Files
import Testing

@Suite struct NumberWordsTests {
    @Test(arguments: [
        (77, "77"), (-3, "-3"), (0, "0"), (0.5, "0.5"), (1e-8, "1e-08"), (0.1 + 0.2, "0.30000000000000004"),
        (1e300, "1e+300"), (.infinity, "inf"), (.nan, "nan"),
    ])
    func numbersAreWrittenAsPeopleDo(value: Double, text: String) { #expect(value.plain == text) }

    @Test(arguments: [
        (0.023311734898929556, "0.0233"), (2.3425848484039307, "2.34"), (1 - 0.95, "0.05"), (12345.678, "12300"),
        (0.9999, "1"), (0, "0"), (-0.00012345, "-0.000123"),
    ])
    func threeDigitsSayEnough(value: Double, text: String) { #expect(value.significant() == text) }

    @Test func singlePrecisionIsNoMorePreciseThanItIs() {
        #expect(Float(0.1).plain == "0.1" && Float(5).plain == "5" && Float.nan.plain == "nan")
    }

    @Test func settingsAreShownAsTyped() {
        #expect(SettingError(key: "k", got: 20.0, expected: "").got == "20")
        #expect(SettingError(key: "k", got: [0.0, 0.5], expected: "").got == "[0, 0.5]")
        #expect(SettingError(key: "k", got: ["a", "b"], expected: "").got == "[a, b]")
    }
}

import TestSupport
import Foundation
import Testing

@testable import Reports

@Suite struct TextTests {
    @Test func escapingIsComplete() {
        #expect(
            Markup.escape("a<b> & \"c\" 'd'\u{0}\n\u{1B}[31m")
                == "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;\u{FFFD}\n\u{FFFD}[31m")
        #expect(Markup.escape("a\u{202E}b\u{2028}") == "a\\u{202E}b\\u{2028}")
        #expect(Markup.prose("use `a<b` or `c`") == "use <code>a&lt;b</code> or <code>c</code>")
        #expect(Markup.prose("one ` only, `x` and `") == "one <code> only, </code>x<code> and </code>")
        #expect(Markup.prose("`a` and ` left") == "<code>a</code> and ` left")
        #expect(Markup.prose("lone `<") == "lone `&lt;")
        #expect(Markup.identifier("Where the  Channels went!") == "where-the-channels-went")
        #expect(Markup.identifier("Größe 2") == "gr-e-2" && Markup.identifier("???") == "section")
    }

    @Test(arguments: [
        (0.0, "0"), (0.82134, "0.8213"), (12.4, "12.4"), (1024, "1024"), (35_746_307, "35,746,307"),
        (-1234.5, "−1234.5"),
        (3.5e-7, "3.5e−7"), (1.0e15, "1e15"), (-2, "−2"), (.nan, "—"), (.infinity, "∞"), (-.infinity, "−∞"),
        (0.000123456, "0.0001235"), (99_999.96, "99,999.96"), (1e308, "1e308"), (99_999.5, "99,999.5"),
    ])
    func shortNumbers(value: Double, expected: String) {
        // Four digits, but never fewer than the whole part has.
        let got = NumberText.short(value, digits: value.magnitude > 9999 ? 7 : value.magnitude > 999 ? 5 : 4)
        #expect(got == expected)
    }

    @Test func plainNumbersAreAsciiWithAllTheirDecimals() {
        #expect(
            NumberText.plain(12_345.5, decimals: 2) == "12345.50" && NumberText.plain(-0.25, decimals: 2) == "-0.25")
        #expect(
            NumberText.plain(0.99996, decimals: 4) == "1.0000" && NumberText.plain(0.00004, decimals: 4) == "0.0000")
        #expect(NumberText.plain(-0.001, decimals: 2) == "0.00" && NumberText.plain(7.5, decimals: 0) == "8")
        #expect(NumberText.plain(.nan, decimals: 3) == "nan" && NumberText.plain(-.infinity, decimals: 3) == "-inf")
        #expect(NumberText.plain(1e20, decimals: 1) == "1e+20")
    }

    @Test func otherNumbers() {
        #expect(NumberText.fixed(1234.5, decimals: 2, keepZeros: true) == "1234.50")
        #expect(NumberText.fixed(-0.001, decimals: 2) == "0")
        #expect(NumberText.fixed(12_345.678, decimals: 1) == "12,345.7")
        #expect(NumberText.compact(35_746_307) == "35.7 M" && NumberText.compact(999.9) == "1 k")
        #expect(NumberText.compact(980) == "980" && NumberText.compact(6.06e9) == "6.06 G")
        #expect(NumberText.bytes(1536) == "1.5 KiB" && NumberText.bytes(512) == "512 B")
        #expect(NumberText.percent(0.4375) == "43.8 %" && NumberText.percent(1) == "100.0 %")
        #expect(NumberText.coordinate(-0.004) == "0" && NumberText.coordinate(-1.5) == "-1.5")
        #expect(NumberText.coordinate(3.05) == "3.05" && NumberText.coordinate(12) == "12")
        #expect(NumberText.coordinate(.nan) == "0" && NumberText.coordinate(1e300) == "10000000")
    }

    @Test func longNamesKeepTheirEnds() {
        let name = "down_blocks.0.resnets.1.conv1"
        #expect(TextMetrics.fit(name, width: 1000, size: 12) == name)
        let cut = TextMetrics.fit(name, width: 90, size: 12)
        #expect(cut.hasPrefix("down") && cut.hasSuffix("conv1") && cut.contains("…"))
        #expect(TextMetrics.width(cut, size: 12) <= 90)
        #expect(TextMetrics.fit(name, width: 1, size: 12) == "…")
    }

    @Test func terminalTableAligns() throws {
        var table = TextTable(columns: [.init("method"), .init("SSIM", .right), .init("note")])
        try table.append(["taylor", "0.912", ""])
        try table.append(["剪枝", "−1", "wide\u{1B}[31m\ncell"])
        table.appendRule()
        try table.append(["mean", "0.45", ""])
        let expected = """
            method   SSIM  note
            ────────────────────────────
            taylor  0.912
            剪枝       −1  wide [31m cell
            ────────────────────────────
            mean     0.45

            """
        #expect(table.text == expected.replacingOccurrences(of: "────────────────────────────", with: rule(29)))
        #expect(throws: ReportError.wrongCellCount(row: 3, got: 1, expected: 3)) { try table.append(["x"]) }
    }

    private func rule(_ count: Int) -> String { String(repeating: "─", count: count) }

    @Test func csvQuotesWhatItMust() throws {
        var csv = CSV(columns: ["name", "value, unit", "n"])
        try csv.append(["a \"b\"", .number(0.1), .integer(-3)])
        try csv.append(["line\nbreak", .number(.nan), .empty])
        try csv.append(["plain", .number(1e-300), .number(.infinity)])
        #expect(
            csv.text == "name,\"value, unit\",n\n\"a \"\"b\"\"\",0.1,-3\n\"line\nbreak\",,\nplain,1e-300,\n")
        #expect(throws: ReportError.wrongCellCount(row: 3, got: 1, expected: 3)) { try csv.append(["x"]) }
        var narrow = CSV(columns: ["only"])
        try narrow.append([.empty])
        #expect(narrow.text == "only\n\"\"\n")
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("a.csv")
            try csv.write(to: url)
            #expect(try String(contentsOf: url, encoding: .utf8) == csv.text)
        }
    }
}

@Suite struct TextWrapTests {
    @Test func linesBreakAtSpacesAndKeepToTheWidth() {
        #expect(TextWrap.lines(of: "one two three four", width: 9) == ["one two", "three", "four"])
        #expect(TextWrap.lines(of: "  one   two ", width: 7) == ["one two"])
        #expect(TextWrap.lines(of: "a 深度剪枝 b", width: 8) == ["a", "深度剪枝", "b"], "a wide character takes two cells")
    }

    @Test func aWordThatIsTooWideHasItsOwnLine() {
        #expect(TextWrap.lines(of: "a gradient-flow b", width: 5) == ["a", "gradient-flow", "b"])
        #expect(TextWrap.lines(of: "", width: 5) == [""])
    }
}

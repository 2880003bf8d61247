import Files
import Testing

@Suite struct PrintableTests {
    @Test func whatActsOnATerminalIsShown() {
        let cases = [
            "\u{1B}[31mred\u{7}": "\\u{1B}[31mred\\u{7}", "\u{9B}2J": "\\u{9B}2J", "a\u{202E}b": "a\\u{202E}b",
            "tab\tand\r": "tab\\u{9}and\\u{D}", "\u{2028}\u{2029}\u{85}": "\\u{2028}\\u{2029}\\u{85}",
            "\u{7F}\u{0}\u{AD}\u{E0041}": "\\u{7F}\\u{0}\\u{AD}\\u{E0041}",
        ]
        for (text, shown) in cases { #expect(text.printable == shown) }
    }

    @Test func wordsOfAnyLanguageStay() {
        for text in ["plain\nlines\n", "Größe 8×8 – „ja“", "данные", "写真", "👍🏽 é e\u{301}", ""] {
            #expect(text.printable == text)
        }
    }

    @Test func quotesToo() {
        #expect("\(Quoted("a\u{9B}\u{202E}'\n\u{1B}é"))" == "'a\\u{9B}\\u{202E}\\'\\n\\u{1B}é'")
    }
}

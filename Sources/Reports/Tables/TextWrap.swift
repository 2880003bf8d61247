/// Text broken into lines for the terminal.
public enum TextWrap {
    /// Lines of at most `width` terminal cells, broken at spaces; a word that is wider than that has a line of its own.
    /// Empty text is one empty line.
    public static func lines(of text: String, width: Int) -> [String] {
        var lines = [""]
        for word in text.split(separator: " ") {
            let line = lines[lines.count - 1]
            if line.isEmpty {
                lines[lines.count - 1] = String(word)
            } else if TerminalWidth.of(line) + 1 + TerminalWidth.of(String(word)) <= width {
                lines[lines.count - 1] += " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}

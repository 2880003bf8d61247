extension Unicode.Scalar {
    /// Whether a terminal would do something other than show it: controls (ESC and the C1 set among them), formats
    /// (such as those that turn the direction of text) and separators of lines and paragraphs.
    package var isControlling: Bool {
        guard value < 0x20 || value > 0x7E else { return false }
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: return true
        default: return false
        }
    }

    /// `\u{1B}`.
    package var codePoint: String { "\\u{\(String(value, radix: 16, uppercase: true))}" }
}

extension String {
    /// The text with whatever would act on a terminal or hide in a page written as `\u{1B}`. Line breaks (LF) stay.
    package var printable: String {
        guard unicodeScalars.contains(where: { $0.isControlling && $0 != "\n" }) else { return self }
        var text = ""
        for scalar in unicodeScalars {
            if scalar.isControlling, scalar != "\n" {
                text += scalar.codePoint
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

import Files

/// Text made safe for HTML and SVG.
enum Markup {
    /// Escapes for element content and for quoted attribute values alike.
    ///
    /// Control characters, which XML 1.0 cannot hold in any form, become U+FFFD, and what would turn the direction of
    /// text or hide becomes its code point; tab and line breaks stay.
    static func escape(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
            case _ where scalar.isControlling: result += scalar.codePoint
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Escapes, and sets what stands between backticks in code type. An unpaired backtick stays as it is.
    static func prose(_ text: String) -> String {
        let parts = text.split(separator: "`", omittingEmptySubsequences: false)
        guard parts.count >= 3 else { return escape(text) }
        var result = ""
        for (index, part) in parts.enumerated() {
            let isCode = index % 2 == 1
            let isUnpaired = isCode && index == parts.count - 1
            if isUnpaired {
                result += "`" + escape(String(part))
            } else if isCode {
                result += "<code>" + escape(String(part)) + "</code>"
            } else {
                result += escape(String(part))
            }
        }
        return result
    }

    /// A fragment identifier from a title: lower-case ASCII letters and digits joined by hyphens, never empty.
    static func identifier(_ title: String) -> String {
        var words: [String] = [""]
        for character in title.lowercased() {
            if character.isASCII, character.isLetter || character.isNumber {
                words[words.count - 1].append(character)
            } else if words[words.count - 1] != "" {
                words.append("")
            }
        }
        let name = words.filter { !$0.isEmpty }.joined(separator: "-")
        return name.isEmpty ? "section" : name
    }
}

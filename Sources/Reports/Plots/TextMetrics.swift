/// How wide text will be, roughly: SVG cannot ask the browser, and a little room too much does no harm.
enum TextMetrics {
    /// Width in CSS pixels in a common sans-serif face.
    static func width(_ text: String, size: Double) -> Double {
        text.reduce(0) { $0 + advance($1) } * size
    }

    /// The text itself where it fits, else its start and end around an ellipsis.
    static func fit(_ text: String, width limit: Double, size: Double) -> String {
        guard width(text, size: size) > limit else { return text }
        let characters = Array(text)
        var kept = characters.count - 1
        while kept > 1 {
            // Endings tell layers and runs apart more often than beginnings do.
            let tail = (kept + 1) / 2
            let candidate = String(characters.prefix(kept - tail)) + "…" + String(characters.suffix(tail))
            if width(candidate, size: size) <= limit { return candidate }
            kept -= 1
        }
        return "…"
    }

    private static func advance(_ character: Character) -> Double {
        switch character {
        case "i", "j", "l", "I", "'", ".", ",", ":", ";", "|", "!", " ", "f", "t", "r", "(", ")", "[", "]", "/", "-":
            return 0.36
        case "m", "w", "M", "W", "@", "%", "—": return 0.92
        case "A"..."Z": return 0.69
        default: return TerminalWidth.of(String(character)) == 2 ? 1.0 : 0.58
        }
    }
}

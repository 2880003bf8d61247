/// Colours for numbers: dark blue to yellow with even steps of lightness, readable with any common colour-vision
/// deficiency.
///
/// Based on: Nuñez, Anderton & Renslow, "Optimizing colormaps with consideration for color vision deficiency",
/// PLOS ONE, 2018 (cividis).
enum ColorMap {
    private static let stops: [(Double, Double, Double)] = [
        (0, 34, 78), (26, 56, 111), (59, 73, 108), (87, 93, 109), (112, 113, 115), (138, 134, 120), (165, 156, 116),
        (195, 179, 105), (225, 204, 85), (254, 232, 56),
    ]

    /// "#rrggbb" of a position between 0 and 1 (the nearer end for others, 0 for NaN), and whether white text is read
    /// better on it than black.
    static func color(at fraction: Double) -> (hex: String, isDark: Bool) {
        let position = (fraction > 0 ? min(fraction, 1) : 0) * Double(stops.count - 1)
        let below = min(Int(position), stops.count - 2)
        let rest = position - Double(below)
        let (a, b) = (stops[below], stops[below + 1])
        let channels = [a.0 + (b.0 - a.0) * rest, a.1 + (b.1 - a.1) * rest, a.2 + (b.2 - a.2) * rest]
        let hex = channels.map { channel in
            let digits = String(Int(channel.rounded()), radix: 16)
            return digits.count < 2 ? "0" + digits : digits
        }
        let luma = 0.299 * channels[0] + 0.587 * channels[1] + 0.114 * channels[2]
        return ("#" + hex.joined(), luma < 128)
    }
}

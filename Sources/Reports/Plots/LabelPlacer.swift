/// Puts labels beside points where they cover least.
struct LabelPlacer {
    private let size: Double
    private let bounds: PlotRect
    private var taken: [PlotRect] = []

    init(size: Double, within bounds: PlotRect) {
        self.size = size
        self.bounds = bounds
    }

    /// Names a place that labels had better not cover.
    mutating func block(_ rect: PlotRect) {
        taken.append(rect)
    }

    /// Draws a label, with a thin line to its point where it had to move away, and blocks its place.
    mutating func draw(_ label: String, at point: PlotPoint, on canvas: inout SVGCanvas) {
        let text = TextMetrics.fit(label, width: bounds.width * 0.6, size: size)
        let width = TextMetrics.width(text, size: size)
        let choices = candidates(around: point, width: width, height: size * 1.15)
        var best = choices[0]
        var bestCost = Double.infinity
        for choice in choices {
            let cost = cost(of: choice)
            if cost < bestCost - 1e-9 {
                (best, bestCost) = (choice, cost)
            }
        }
        taken.append(best.box)
        if best.distance > 20 {
            let edge = PlotPoint(
                x: min(max(point.x, best.box.x), best.box.right), y: min(max(point.y, best.box.y), best.box.bottom))
            canvas.line(point.x, point.y, edge.x, edge.y, class: "ld")
        }
        canvas.text(text, x: best.box.x, y: best.box.y + size * 0.9, class: "la")
    }

    private struct Candidate {
        let box: PlotRect
        /// From the point to the near edge of the label.
        let distance: Double
    }

    /// Covered area in square pixels; leaving the plot weighs threefold, and every pixel away from the point a little.
    private func cost(of candidate: Candidate) -> Double {
        let box = candidate.box
        let outside = box.width * box.height - box.overlap(bounds)
        return taken.reduce(outside * 3 + candidate.distance) { $0 + $1.overlap(box) }
    }

    /// In order of preference: right, left, above, below and the corners, near the point and then farther away.
    private func candidates(around point: PlotPoint, width: Double, height: Double) -> [Candidate] {
        let directions: [(Double, Double)] = [
            (1, 0), (-1, 0), (0, -1), (0, 1), (0.7, -0.7), (0.7, 0.7), (-0.7, -0.7), (-0.7, 0.7),
        ]
        return [9.0, 24, 42, 60].flatMap { distance in
            directions.map { dx, dy in
                // A label to the side is centred on the point's height, one above it on the point's middle.
                let x = point.x + dx * distance + (dx == 0 ? -width / 2 : dx < 0 ? -width : 0)
                let y = point.y + dy * distance + (dy == 0 ? -height / 2 : dy < 0 ? -height : 0)
                return Candidate(box: PlotRect(x: x, y: y, width: width, height: height), distance: distance)
            }
        }
    }
}

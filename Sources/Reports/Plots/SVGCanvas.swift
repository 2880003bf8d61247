/// Writes SVG elements. Looks come from the classes of `PlotStyle`, so that one sheet serves light and dark.
struct SVGCanvas {
    enum Anchor: String {
        case start, middle, end
    }

    private(set) var body = ""

    mutating func text(
        _ text: String, x: Double, y: Double, class name: String, anchor: Anchor = .start, rotation: Double = 0
    ) {
        let at = "x=\"\(number(x))\" y=\"\(number(y))\""
        let turn = rotation == 0 ? "" : " transform=\"rotate(\(number(rotation)) \(number(x)) \(number(y)))\""
        let alignment = anchor == .start ? "" : " text-anchor=\"\(anchor.rawValue)\""
        body += "<text \(at) class=\"\(name)\"\(alignment)\(turn)>\(Markup.escape(text))</text>\n"
    }

    mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, class name: String) {
        body += "<path d=\"M\(number(x1)) \(number(y1))L\(number(x2)) \(number(y2))\" class=\"\(name)\"/>\n"
    }

    /// - Parameter tip: shown on hovering, where not empty.
    mutating func rectangle(
        _ rect: PlotRect, class name: String, fill: String? = nil, cornerRadius: Double = 0, tip: String = ""
    ) {
        let size = "width=\"\(number(max(0, rect.width)))\" height=\"\(number(max(0, rect.height)))\""
        let color = fill.map { " fill=\"\($0)\"" } ?? ""
        let corner = cornerRadius > 0 ? " rx=\"\(number(cornerRadius))\"" : ""
        let start = "<rect x=\"\(number(rect.x))\" y=\"\(number(rect.y))\" \(size) class=\"\(name)\"\(color)\(corner)"
        body += tip.isEmpty ? start + "/>\n" : start + "><title>\(Markup.escape(tip))</title></rect>\n"
    }

    mutating func path(_ data: String, class name: String, dash: String = "", tip: String = "") {
        let pattern = dash.isEmpty ? "" : " stroke-dasharray=\"\(dash)\""
        let start = "<path d=\"\(data)\" class=\"\(name)\"\(pattern)"
        body += tip.isEmpty ? start + "/>\n" : start + "><title>\(Markup.escape(tip))</title></path>\n"
    }

    /// Draws inside a window: what sticks out of `rect` is cut off. Coordinates stay those of the whole plot.
    mutating func clipped(to rect: PlotRect, _ draw: (inout SVGCanvas) -> Void) {
        var inner = SVGCanvas()
        draw(&inner)
        let size = "width=\"\(number(rect.width))\" height=\"\(number(rect.height))\""
        let corner = "\(number(rect.x)) \(number(rect.y))"
        let box = "viewBox=\"\(corner) \(number(rect.width)) \(number(rect.height))\""
        body += "<svg x=\"\(number(rect.x))\" y=\"\(number(rect.y))\" \(size) \(box)>\n\(inner.body)</svg>\n"
    }

    /// The finished element.
    func document(width: Double, height: Double, fontSize: Double, title: String) -> String {
        let box = "viewBox=\"0 0 \(number(width)) \(number(height))\""
        let size = "width=\"\(number(width))\" height=\"\(number(height))\" font-size=\"\(number(fontSize))\""
        return
            "<svg class=\"plot\" \(size) \(box) role=\"img\" aria-label=\"\(Markup.escape(title))\">\n\(body)</svg>\n"
    }

    /// A plot of nothing.
    static func noData(layout: PlotLayout, title: String) -> String {
        var canvas = SVGCanvas()
        let height = layout.fontSize * 7
        canvas.rectangle(
            PlotRect(x: 0.5, y: 0.5, width: layout.width - 1, height: height - 1), class: "nd", cornerRadius: 6)
        canvas.text("no data", x: layout.width / 2, y: height / 2 + layout.fontSize / 3, class: "mu", anchor: .middle)
        return canvas.document(
            width: layout.width, height: height, fontSize: layout.fontSize, title: title + " (no data)")
    }

    private func number(_ value: Double) -> String { NumberText.coordinate(value) }
}

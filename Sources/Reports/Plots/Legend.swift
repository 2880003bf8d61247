/// The names of the series, wrapped into as many lines as the width needs.
struct Legend {
    enum Mark {
        case line(dashed: Bool)
        case dot
        case bar
        case paleBar
    }

    struct Entry {
        let name: String
        let index: Int
        let mark: Mark
    }

    private struct Placed {
        let entry: Entry
        let label: String
        let x: Double
        let line: Int
    }

    private let placed: [Placed]
    private let fontSize: Double
    private let sampleWidth = 22.0
    let height: Double

    init(_ entries: [Entry], width: Double, fontSize: Double) {
        var placed: [Placed] = []
        var x = 0.0
        var line = 0
        for entry in entries {
            let label = TextMetrics.fit(entry.name, width: width - sampleWidth - 6, size: fontSize)
            let length = sampleWidth + 6 + TextMetrics.width(label, size: fontSize)
            if x > 0, x + length > width {
                x = 0
                line += 1
            }
            placed.append(Placed(entry: entry, label: label, x: x, line: line))
            x += length + fontSize * 1.2
        }
        self.placed = placed
        self.fontSize = fontSize
        height = placed.isEmpty ? 0 : Double(line + 1) * fontSize * 1.6
    }

    func draw(on canvas: inout SVGCanvas, x: Double, y: Double) {
        for item in placed {
            let left = x + item.x
            let middle = y + (Double(item.line) + 0.5) * fontSize * 1.6
            let color = PlotStyle.series(item.entry.index)
            switch item.entry.mark {
            case .line(let dashed):
                let data = "M\(NumberText.coordinate(left)) \(NumberText.coordinate(middle))h\(Int(sampleWidth))"
                canvas.path(data, class: "ln \(color)", dash: dashed ? "6 4" : PlotStyle.dash(item.entry.index))
            case .dot:
                canvas.path(PlotStyle.dot(x: left + sampleWidth / 2, y: middle, radius: 3.2), class: "mk \(color)")
            case .bar, .paleBar:
                var isPale = false
                if case .paleBar = item.entry.mark { isPale = true }
                let box = PlotRect(
                    x: left + 4, y: middle - fontSize * 0.4, width: sampleWidth - 6, height: fontSize * 0.8)
                canvas.rectangle(box, class: "\(isPale ? "pa" : "ba") \(color)", cornerRadius: 2)
            }
            canvas.text(item.label, x: left + sampleWidth + 6, y: middle + fontSize * 0.35, class: "le")
        }
    }
}

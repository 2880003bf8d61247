import Foundation

/// Horizontal bars by category, such as the width of every layer before and after pruning.
public struct BarChart: SVGPlot {
    public enum Arrangement: Sendable {
        /// The bars of a category below each other.
        case grouped
        /// All later bars inside the first, which is pale: for parts of a whole and for before and after.
        case nested
    }

    public struct Series: Sendable {
        public let name: String
        /// One value a category; nil or not finite leaves the bar out.
        public let values: [Double?]

        public init(_ name: String, values: [Double?]) {
            self.name = name
            self.values = values
        }
    }

    public let title: String
    public let categories: [String]
    public let series: [Series]
    /// The value axis. Bars start at zero, so it always reaches zero; a logarithmic scale is drawn as a linear one.
    public let axis: Axis
    public let arrangement: Arrangement

    /// Values beyond the categories are left out; missing ones count as nil.
    public init(
        title: String, categories: [String], series: [Series], axis: Axis, arrangement: Arrangement = .grouped
    ) {
        self.title = title
        self.categories = categories
        self.series = series
        var linear = axis
        linear.scale = .linear
        linear.includesZero = true
        linear.range = nil
        self.axis = linear
        self.arrangement = arrangement
    }

    public func svg(layout: PlotLayout) -> String {
        let values = series.flatMap { one in categories.indices.compactMap { value(one, $0) } }
        guard !values.isEmpty else { return SVGCanvas.noData(layout: layout, title: title) }
        let size = layout.fontSize
        let hasLegend = series.count > 1
        let legend = Legend(
            hasLegend
                ? series.enumerated().map {
                    let isPale = arrangement == .nested && $0.offset == 0
                    return Legend.Entry(
                        name: $0.element.name, index: colorIndex($0.offset), mark: isPale ? .paleBar : .bar)
                } : [], width: layout.width - 8, fontSize: size)

        // On a phone labels stand above their bars, since beside them they would take half of the width.
        let labelsAbove = layout.isNarrow
        let widest = categories.map { TextMetrics.width($0, size: size) }.max() ?? 0
        let labelWidth = labelsAbove ? 0 : min(widest, layout.width * 0.36)
        let valueWidth = categories.indices.flatMap(valueLabels).map { TextMetrics.width($0, size: size) }.max() ?? 0
        let left = labelsAbove ? 4 : labelWidth + 14
        let right = layout.width - valueWidth - 14
        let scale = AxisScale(
            axis: axis, values: values, from: left, to: max(left + 40, right), tickSpacing: size * 5, expand: true)

        let barHeight = (arrangement == .nested ? 1.05 : 0.95) * size
        let barsPerCategory = arrangement == .nested ? 1 : series.count
        let labelHeight = labelsAbove ? size * 1.25 : 0
        let rowHeight = labelHeight + Double(barsPerCategory) * (barHeight + 2) + size * 0.55
        let top = legend.height + size * 0.8
        let bottom = top + rowHeight * Double(categories.count)

        var canvas = SVGCanvas()
        legend.draw(on: &canvas, x: 4, y: 2)
        drawAxis(scale, top: top, bottom: bottom, layout: layout, on: &canvas)
        if let zero = scale.position(0) {
            canvas.line(zero, top, zero, bottom, class: "ax")
        }
        for (index, category) in categories.enumerated() {
            let rowTop = top + Double(index) * rowHeight
            let barsTop = rowTop + labelHeight + size * 0.25
            let barsMiddle = barsTop + Double(barsPerCategory) * (barHeight + 2) / 2
            if labelsAbove {
                let label = TextMetrics.fit(category, width: layout.width - 8, size: size)
                canvas.text(label, x: left, y: rowTop + size, class: "la")
            } else {
                let label = TextMetrics.fit(category, width: labelWidth, size: size)
                canvas.text(label, x: left - 9, y: barsMiddle + size * 0.33, class: "ca", anchor: .end)
            }
            drawBars(of: index, scale: scale, top: barsTop, height: barHeight, size: size, on: &canvas)
        }
        let height = bottom + size * (axis.caption.isEmpty ? 2 : 3.4)
        return canvas.document(width: layout.width, height: height, fontSize: size, title: title)
    }

    private func drawBars(
        of category: Int, scale: AxisScale, top: Double, height: Double, size: Double, on canvas: inout SVGCanvas
    ) {
        guard let zero = scale.position(0) else { return }
        let labels = valueLabels(of: category)
        var outermost = zero
        for (index, one) in series.enumerated() {
            guard let value = value(one, category), let end = scale.position(value) else { continue }
            let isNested = arrangement == .nested
            let inset = isNested && index > 0 ? height * 0.18 : 0
            let y = isNested ? top : top + Double(index) * (height + 2)
            let bar = PlotRect(
                x: min(zero, end), y: y + inset, width: abs(end - zero), height: height - 2 * inset)
            let tip = "\(categories[category]), \(one.name): \(NumberText.short(value))"
            let look = isNested && index == 0 && series.count > 1 ? "pa" : "ba"
            canvas.rectangle(
                bar, class: "\(look) \(PlotStyle.series(colorIndex(index)))", cornerRadius: 1.5, tip: tip)
            outermost = max(outermost, end)
            if !isNested {
                canvas.text(labels[index], x: max(zero, end) + 5, y: y + height * 0.5 + size * 0.35, class: "mu")
            }
        }
        if arrangement == .nested {
            canvas.text(labels[0], x: outermost + 6, y: top + height * 0.5 + size * 0.35, class: "mu")
        }
    }

    private func drawAxis(
        _ scale: AxisScale, top: Double, bottom: Double, layout: PlotLayout, on canvas: inout SVGCanvas
    ) {
        let size = layout.fontSize
        for tick in scale.ticks {
            guard let at = scale.position(tick.value) else { continue }
            canvas.line(at, top, at, bottom, class: "gr")
            // A label centred on the outermost left tick would leave the picture.
            let half = TextMetrics.width(tick.label, size: size) / 2
            canvas.text(tick.label, x: max(at, half + 1), y: bottom + size * 1.35, class: "mu", anchor: .middle)
        }
        if !axis.caption.isEmpty {
            let caption = TextMetrics.fit(axis.caption, width: layout.width - 8, size: size)
            let half = TextMetrics.width(caption, size: size) / 2
            let middle = min(max((scale.start + scale.end) / 2, half + 4), layout.width - half - 4)
            canvas.text(caption, x: middle, y: bottom + size * 2.85, class: "mu", anchor: .middle)
        }
    }

    /// A nested whole and its part are one thing in two states, so they share a colour.
    private func colorIndex(_ index: Int) -> Int {
        arrangement == .nested && series.count > 1 ? max(0, index - 1) : index
    }

    /// One label a bar, or one for all nested bars: "57 / 128", the innermost first.
    private func valueLabels(of category: Int) -> [String] {
        let texts = series.map { value($0, category).map { NumberText.short($0, digits: 3) } ?? "—" }
        return arrangement == .nested ? [texts.reversed().joined(separator: " / ")] : texts
    }

    private func value(_ series: Series, _ category: Int) -> Double? {
        guard series.values.indices.contains(category), let value = series.values[category], axis.canShow(value) else {
            return nil
        }
        return value
    }
}

import Foundation

/// A matrix of coloured cells, such as the share of every layer's channels that is left after every mask update.
public struct HeatMap: SVGPlot {
    public let title: String
    public let rows: [String]
    public let columns: [String]
    /// `values[row][column]`; nil, missing or not finite leaves the cell empty.
    public let values: [[Double?]]
    public let rowTitle: String
    public let columnTitle: String
    /// What the colours mean, with its unit, its scale and, where wanted, its ends.
    public let valueAxis: Axis

    public init(
        title: String, rows: [String], columns: [String], values: [[Double?]], rowTitle: String = "",
        columnTitle: String, valueAxis: Axis
    ) {
        self.title = title
        self.rows = rows
        self.columns = columns
        self.values = values
        self.rowTitle = rowTitle
        self.columnTitle = columnTitle
        self.valueAxis = valueAxis
    }

    public func svg(layout: PlotLayout) -> String {
        let shown = rows.indices.flatMap { row in columns.indices.compactMap { value(row, $0) } }
        guard !shown.isEmpty else { return SVGCanvas.noData(layout: layout, title: title) }
        let size = layout.fontSize
        let widest = rows.map { TextMetrics.width($0, size: size) }.max() ?? 0
        let maximumLabelWidth = layout.width * (layout.isNarrow ? 0.34 : 0.3)
        // Layer names cut to a third of a phone's width would all look alike; they go above their rows instead.
        let labelsAbove = layout.isNarrow && widest > maximumLabelWidth
        let labelWidth = labelsAbove ? layout.width - 8 : min(widest, maximumLabelWidth)
        let left = labelsAbove ? 4 : labelWidth + 12
        let cellWidth = min((layout.width - left - 4) / Double(columns.count), size * 6)
        let cellHeight = size * 1.9
        let labelHeight = labelsAbove ? size * 1.5 : 0
        let rowHeight = labelHeight + cellHeight
        let top = rowTitle.isEmpty ? 4 : size * 1.7
        let bottom = top + rowHeight * Double(rows.count)
        let gridWidth = cellWidth * Double(columns.count)
        let scale = AxisScale(
            axis: valueAxis, values: shown, from: left, to: max(left + gridWidth, layout.width * 0.6),
            tickSpacing: size * 5, expand: false)

        // All cells carry their number or none does: a few numbers would look like the important ones.
        let widestNumber = shown.map { TextMetrics.width(cellText($0), size: size) }.max() ?? 0
        let hasText = widestNumber + 4 <= cellWidth

        var canvas = SVGCanvas()
        if !rowTitle.isEmpty {
            canvas.text(TextMetrics.fit(rowTitle, width: layout.width - 8, size: size), x: 4, y: size, class: "mu")
        }
        for (row, name) in rows.enumerated() {
            let y = top + Double(row) * rowHeight + labelHeight
            let label = TextMetrics.fit(name, width: labelWidth, size: size)
            if labelsAbove {
                canvas.text(label, x: left, y: y - size * 0.35, class: "ca")
            } else {
                canvas.text(label, x: left - 8, y: y + cellHeight / 2 + size * 0.35, class: "ca", anchor: .end)
            }
            for column in columns.indices {
                let cell = PlotRect(
                    x: left + Double(column) * cellWidth, y: y, width: cellWidth, height: cellHeight)
                drawCell(row, column, in: cell, scale: scale, size: size, hasText: hasText, on: &canvas)
            }
        }
        drawColumnLabels(left: left, bottom: bottom, cellWidth: cellWidth, layout: layout, on: &canvas)
        let barTop = bottom + size * (columnTitle.isEmpty ? 2.2 : 3.9)
        drawColorBar(scale, top: barTop, layout: layout, on: &canvas)
        return canvas.document(
            width: layout.width, height: barTop + size * 4.4, fontSize: size, title: title)
    }

    private func drawCell(
        _ row: Int, _ column: Int, in cell: PlotRect, scale: AxisScale, size: Double, hasText: Bool,
        on canvas: inout SVGCanvas
    ) {
        // Half a pixel of ground between cells keeps neighbours of one colour apart.
        let gap = cell.width > 8 ? 1.0 : 0
        let inner = PlotRect(x: cell.x, y: cell.y, width: cell.width - gap, height: cell.height - gap)
        guard let value = value(row, column) else {
            canvas.rectangle(inner, class: "tr", tip: "\(rows[row]), \(columns[column]): no data")
            return
        }
        let (hex, isDark) = ColorMap.color(at: fraction(value, on: scale))
        canvas.rectangle(
            inner, class: "ce", fill: hex, tip: "\(rows[row]), \(columns[column]): \(NumberText.short(value))")
        if hasText {
            canvas.text(
                cellText(value), x: inner.x + inner.width / 2, y: inner.y + inner.height / 2 + size * 0.35,
                class: isDark ? "iv" : "in", anchor: .middle)
        }
    }

    private func drawColumnLabels(
        left: Double, bottom: Double, cellWidth: Double, layout: PlotLayout, on canvas: inout SVGCanvas
    ) {
        let size = layout.fontSize
        let widest = columns.map { TextMetrics.width($0, size: size) }.max() ?? 0
        // Where not every label fits, every second, third … is written.
        let stride = max(1, Int(((min(widest, size * 8) + 6) / cellWidth).rounded(.up)))
        for (index, name) in columns.enumerated() where index % stride == 0 {
            let label = TextMetrics.fit(name, width: cellWidth * Double(stride) - 4, size: size)
            let half = TextMetrics.width(label, size: size) / 2
            let middle = min(left + (Double(index) + 0.5) * cellWidth, layout.width - half - 1)
            canvas.text(label, x: middle, y: bottom + size * 1.3, class: "mu", anchor: .middle)
        }
        if !columnTitle.isEmpty {
            let caption = TextMetrics.fit(columnTitle, width: layout.width - left, size: size)
            canvas.text(
                caption, x: left + cellWidth * Double(columns.count) / 2, y: bottom + size * 2.8, class: "mu",
                anchor: .middle)
        }
    }

    private func drawColorBar(
        _ scale: AxisScale, top: Double, layout: PlotLayout, on canvas: inout SVGCanvas
    ) {
        let size = layout.fontSize
        let steps = 48
        let width = (scale.end - scale.start) / Double(steps)
        for step in 0..<steps {
            let (hex, _) = ColorMap.color(at: Double(step) / Double(steps - 1))
            // Overlapping by a pixel hides the seams of neighbouring rectangles.
            let overlap = step < steps - 1 ? 1.0 : 0
            let rect = PlotRect(
                x: scale.start + Double(step) * width, y: top, width: width + overlap, height: size * 0.8)
            canvas.rectangle(rect, class: "cb", fill: hex)
        }
        for tick in scale.ticks {
            guard let at = scale.position(tick.value) else { continue }
            canvas.line(at, top + size * 0.8, at, top + size * 0.8 + 4, class: "ax")
            let half = TextMetrics.width(tick.label, size: size) / 2
            let middle = min(max(at, half + 1), layout.width - half - 1)
            canvas.text(tick.label, x: middle, y: top + size * 2.1, class: "mu", anchor: .middle)
        }
        let caption = TextMetrics.fit(valueAxis.caption, width: layout.width - 8, size: size)
        let half = TextMetrics.width(caption, size: size) / 2
        let middle = min((scale.start + scale.end) / 2, layout.width - half - 4)
        canvas.text(caption, x: max(middle, half + 4), y: top + size * 3.7, class: "mu", anchor: .middle)
    }

    private func cellText(_ value: Double) -> String { NumberText.short(value, digits: 2) }

    private func fraction(_ value: Double, on scale: AxisScale) -> Double {
        guard let position = scale.position(value) else { return 0 }
        return (position - scale.start) / (scale.end - scale.start)
    }

    private func value(_ row: Int, _ column: Int) -> Double? {
        guard values.indices.contains(row), values[row].indices.contains(column), let value = values[row][column],
            valueAxis.canShow(value)
        else { return nil }
        return value
    }
}

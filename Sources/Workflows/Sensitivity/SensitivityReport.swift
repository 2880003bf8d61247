import Files
import Reports

/// `report.html` of a sensitivity analysis.
struct SensitivityReport {
    let result: SensitivityResult
    /// How to make the report again; may be empty.
    let instructions: String

    private var plan: SensitivityPlan { result.plan }

    func page() throws -> HTMLReport {
        var page = HTMLReport(
            title: "Sensitivity: what each group does to the model when it alone is narrowed",
            summary: "\(result.groups.count) channel groups at \(plan.ratios.count) ratios, the rest whole; channels "
                + "leave by `\(plan.criterion)`. \(mildest)")
        page.sections = [
            HTMLReport.Section("Groups", maps(.group, result.groups.map(\.name))),
            HTMLReport.Section("Groups by timestep", [timesteps(.group, result.groups.map(\.name))]),
        ]
        if !result.blocks.isEmpty {
            page.sections.append(
                HTMLReport.Section(
                    "Blocks", maps(.block, result.blocks) + [timesteps(.block, result.blocks)]))
        }
        page.sections.append(HTMLReport.Section("Suggested ratios", [.table(try suggestion())]))
        if !instructions.isEmpty {
            page.sections.append(HTMLReport.Section("Make it again", [.preformatted(instructions, caption: "")]))
        }
        page.provenance = [
            ReportText.maker(result.madeBy),
            ("Read at", "\(ReportText.count(plan.images, "image")), seed \(plan.seed)"),
        ]
        return page
    }

    /// The groups that matter least and most at the ratio in the middle.
    private var mildest: String {
        let ranked = result.groups.compactMap { group in
            result.reading(.group, group.name, middle).map { (name: group.name, error: $0.epsilon) }
        }.sorted { ($0.error, $0.name) < ($1.error, $1.name) }
        guard let first = ranked.first, let last = ranked.last, ranked.count > 1 else { return "" }
        return "At \(NumberText.short(middle)) `\(first.name)` changes predictions least, `\(last.name)` most."
    }

    private var middle: Double { plan.ratios[plan.ratios.count / 2] }

    private func maps(_ kind: SensitivityProbe.Kind, _ names: [String]) -> [ReportBlock] {
        let hasGone = result.readings.contains { $0.kind == kind && $0.ratio == 0 }
        let ratios = plan.ratios + (hasGone ? [0] : [])
        func map(_ title: String, _ axis: Axis, _ value: (SensitivityReading) -> Double?) -> HeatMap {
            HeatMap(
                title: title, rows: names, columns: ratios.map { $0 == 0 ? "none" : NumberText.short($0) },
                values: names.map { name in ratios.map { result.reading(kind, name, $0).flatMap(value) } },
                columnTitle: "share of the channels left", valueAxis: axis)
        }
        var blocks: [ReportBlock] = [
            .plot(
                map("Change of predictions", errorAxis, shown(\.epsilon)),
                caption: "Mean over images, timesteps and pixels of (ε of the dense model − ε of the narrowed one)². "
                    + (hasGone ? "None: the block is its shortcut. " : "") + floorNote)
        ]
        if result.readings.contains(where: { $0.ssim != nil }) {
            blocks.append(
                .plot(
                    map("Similarity of pictures", Axis("SSIM"), \.ssim),
                    caption: "Mean over \(ReportText.count(plan.pictures, "picture")) drawn by DDIM in "
                        + "\(ReportText.count(plan.steps, "step")) from the same noise, to those of the dense model."))
        }
        return blocks
    }

    /// Which layers matter when.
    private func timesteps(_ kind: SensitivityProbe.Kind, _ names: [String]) -> ReportBlock {
        let bands = result.timesteps.indices.map { band in
            "\(band * result.timestepCount / result.timesteps.count)"
        }
        return .plot(
            HeatMap(
                title: "Change of predictions by timestep, \(NumberText.short(middle)) left", rows: names,
                columns: bands,
                values: names.map { name in
                    let reading = result.reading(kind, name, middle)
                    return result.timesteps.indices.map { band in reading.map { max($0.epsilonByTimestep[band], floor) }
                    }
                }, columnTitle: "timestep at which its band begins: little noise at the left, much at the right",
                valueAxis: errorAxis),
            caption: "The same by the timestep at which it is read, the middle of its band. " + floorNote)
    }

    private var errorAxis: Axis { Axis("mean square", scale: .logarithmic) }

    /// What does nothing has a colour too: that of the smallest change there is.
    private var floor: Double {
        result.readings.flatMap(\.epsilonByTimestep).filter { $0 > 0 }.min() ?? 1e-12
    }

    private var floorNote: String {
        result.readings.contains { $0.epsilonByTimestep.contains(0) }
            ? "What changes nothing is shown as the smallest change, \(NumberText.short(floor, digits: 2))." : ""
    }

    private func shown(_ value: @escaping (SensitivityReading) -> Double) -> (SensitivityReading) -> Double? {
        { max(value($0), floor) }
    }

    private func suggestion() throws -> ReportTable {
        let left = result.suggestion.remaining.map { NumberText.percent($0) }.joined(separator: ", ")
        var table = ReportTable(
            columns: [.name("group"), .number("width"), .number("stays"), .number("share")],
            caption:
                "For `\(plan.target)`, of which \(left) is left: the cheapest steps by the changes above, as if they "
                + "added up. `ratios.json` holds them, for `prune --ratios`.")
        for (group, share) in zip(result.groups, result.suggestion.shares) {
            try table.append([
                group.name, "\(group.width)", "\(Int((share * Double(group.width)).rounded()))",
                NumberText.percent(share, decimals: 0),
            ])
        }
        return table
    }
}

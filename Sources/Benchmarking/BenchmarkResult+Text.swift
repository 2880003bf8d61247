import Reports

extension BenchmarkResult {
    /// What `bench` prints for people.
    public func text() throws -> String {
        var text =
            "\(machine.processor), \(machine.threads) of \(machine.cores) cores, \(machine.instructionSet), "
            + "\(NumberText.short(peakRate / 1e9, digits: 3)) GFLOP/s at most"
            + (otherProcesses.map { "; other processes took \(NumberText.fixed($0, decimals: 2)) cores meanwhile" }
                ?? "")
            + "\n"
        for subject in subjects {
            text +=
                "\(subject.name): \(subject.source), \(NumberText.compact(Double(subject.parameters))) parameters, "
                + "\(NumberText.compact(subject.macs)) MACs an image of \(Self.product(subject.imageSize))\n"
        }
        if !measurements.isEmpty { text += "\n" + (try measurementTable()) }
        for table in layers { text += "\n" + (try table.text()) }
        return text
    }

    static func product(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: "×") }

    private func measurementTable() throws -> String {
        let isPair = subjects.count > 1
        var table = TextTable(
            columns: [
                .init("work"), .init("batch", .right), .init("model"), .init("median ms", .right),
                .init("quartiles", .right), .init("min – max", .right), .init("images/s", .right),
                .init("ps/MAC", .right), .init("memory", .right),
            ] + (isPair ? [.init("ratio", .right), .init("quartiles", .right)] : []))
        for measurement in measurements {
            for (index, side) in measurement.sides.enumerated() {
                let title =
                    measurement.work.title
                    + (measurement.predictions > 1 ? ", \(measurement.predictions) steps" : "")
                let time = side.milliseconds
                var cells = [
                    index == 0 ? title : "", index == 0 ? "\(measurement.batch)" : "", subjects[index].name,
                    Self.number(time.median), Self.range(time.lowerQuartile, time.upperQuartile),
                    Self.range(time.minimum, time.maximum), Self.number(side.imagesPerSecond),
                    Self.number(side.picosecondsPerMAC), NumberText.bytes(Double(side.peakBytes)),
                ]
                if isPair {
                    let ratio = index == 1 ? measurement.ratio : nil
                    cells += [
                        ratio.map { Self.number($0.median) } ?? "",
                        ratio.map { Self.range($0.lowerQuartile, $0.upperQuartile) } ?? "",
                    ]
                }
                try table.append(cells)
            }
        }
        return table.text
    }

    static func number(_ value: Double) -> String { NumberText.short(value, digits: 3) }
    static func range(_ low: Double, _ high: Double) -> String { "\(number(low)) – \(number(high))" }
}

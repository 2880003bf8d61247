/// N:M patterns: of every M weights that neighbouring inputs have for one output (and one tap of a kernel), N stay.
/// Inputs left over at the end of a row, at most N of them, stay all.
struct PatternPartition: Partition {
    let minimumWidths: [Int]
    private let competition: Competition
    private let count: Int

    init(_ space: PruningSpace, keep: Int, of: Int) throws {
        guard keep >= 1, keep < of, of <= 64 else { throw GranularityError.badPattern(keep: keep, of: of) }
        minimumWidths = space.widths.map { min(1, $0) }
        count = space.count
        competition = .pattern(Self.classes(of: space, size: of), keep: keep, of: of)
    }

    func units(of scores: Scores, prices: [Double]) -> Units {
        Units(.singles(count: count), scores: scores, prices: prices, competition: competition)
    }

    private static func classes(of space: PruningSpace, size: Int) -> [Int32] {
        var classes: [Int32] = []
        classes.reserveCapacity(space.count)
        var first: Int32 = 0
        for site in space.sites {
            guard case .weight(let parameter, _) = site else { continue }
            // […taps, in, out] in the engine's layout.
            let shape = parameter.variable.shape
            let (inputs, outputs) = (shape[shape.count - 2], shape[shape.count - 1])
            let taps = parameter.count / max(inputs * outputs, 1)
            let groups = (inputs + size - 1) / size
            for tap in 0..<taps {
                for input in 0..<inputs {
                    let group = (tap * groups + input / size) * outputs
                    for output in 0..<outputs { classes.append(first + Int32(group + output)) }
                }
            }
            first += Int32(taps * groups * outputs)
        }
        return classes
    }
}

/// What each part of the calibration batches adds to a derivative with respect to the masks.
///
/// A part is a batch. Where all batches' derivatives together would take more than 512 MiB (masks of tens of millions
/// of weights), neighbouring batches are added up into as many parts as fit:
/// what is then read by its size is so in each of these parts.
public struct MaskReadings {
    public let space: PruningSpace
    /// By part, then by coordinate.
    public private(set) var parts: [[Float]] = []
    private let batchesOfPart: Int
    private var batches = 0

    package static let maximumBytes = 512 << 20

    init(_ space: PruningSpace, batches: Int, maximumBytes: Int = Self.maximumBytes) {
        self.space = space
        let fitting = max(1, maximumBytes / (4 * max(space.count, 1)))
        batchesOfPart = max(1, (batches + fitting - 1) / fitting)
    }

    mutating func add(_ values: [Float]) {
        if batches % batchesOfPart == 0 {
            parts.append(values)
        } else {
            let last = parts.count - 1
            for index in values.indices { parts[last][index] += values[index] }
        }
        batches += 1
    }

    /// The sum over parts of `read(what the part adds)`, by coordinate; added up in double.
    public func sum(_ read: (Double) -> Double = { $0 }) -> Scores {
        var sums = [Double](repeating: 0, count: space.count)
        for part in parts {
            for index in sums.indices { sums[index] += read(Double(part[index])) }
        }
        return Scores(space, sums)
    }

    /// The same over what this and another derivative, read in the same parts, add: `read(own, other)`.
    public func sum(with other: MaskReadings, _ read: (Double, Double) -> Double) -> Scores {
        var sums = [Double](repeating: 0, count: space.count)
        for (part, otherPart) in zip(parts, other.parts) {
            for index in sums.indices { sums[index] += read(Double(part[index]), Double(otherPart[index])) }
        }
        return Scores(space, sums)
    }
}

import Layers
import Pruning

/// What masks leave of the numbers that one layer computes its outputs from: of each patch, output by output.
struct PatchMask {
    /// Without the bias's 1.
    let width: Int
    let outputs: Int
    /// Channels in a tap.
    let inputs: Int
    /// Whether the rows of all outputs are left the same numbers.
    let isShared: Bool
    /// `[patch, out]`: of `isShared` masks of the inputs alone.
    private let isLeft: [Bool]
    /// The outputs that are left themselves.
    let liveOutputs: [Int]

    /// What is left where some input channels of a layer, and nothing else, have left.
    init(_ weight: Parameter, channels isLeft: [Bool]) {
        let shape = weight.variable.shape
        (inputs, outputs) = (shape[shape.count - 2], shape[shape.count - 1])
        width = weight.count / max(outputs, 1)
        isShared = true
        self.isLeft = isLeft
        liveOutputs = Array(0..<outputs)
    }

    init(_ weight: Parameter, _ masks: Masks) {
        let shape = weight.variable.shape
        (inputs, outputs) = (shape[shape.count - 2], shape[shape.count - 1])
        width = weight.count / max(outputs, 1)
        switch masks.space.kind {
        case .weights:
            let site = masks.space.sites.firstIndex { $0.isWeight(weight) }
            isShared = site == nil
            isLeft = site.map { masks[$0].map { $0 > 0 } } ?? Array(repeating: true, count: inputs)
            liveOutputs = Array(0..<outputs)
        case .channels:
            var (readLeft, writtenLeft) = (
                [Bool](repeating: true, count: inputs), [Bool](repeating: true, count: outputs)
            )
            for (group, mask) in zip(masks.space.groups, masks.bySite) {
                for member in group.members where member.parameter === weight {
                    for (channel, value) in mask.enumerated() where value == 0 {
                        if member.dimension == shape.count - 2 { readLeft[member.offset + channel] = false }
                        if member.dimension == shape.count - 1 { writtenLeft[member.offset + channel] = false }
                    }
                }
            }
            isShared = true
            isLeft = readLeft
            liveOutputs = (0..<outputs).filter { writtenLeft[$0] }
        }
    }

    /// Whether anything that outputs are computed from has left.
    var isCut: Bool { isLeft.contains(false) }

    /// The numbers of a patch that are left to an output, ascending.
    func positions(of output: Int) -> [Int] {
        isShared
            ? (0..<width).filter { isLeft[$0 % inputs] } : (0..<width).filter { isLeft[$0 * outputs + output] }
    }
}

extension PruningSpace.Site {
    /// Whether it is the elements of `weight`.
    func isWeight(_ weight: Parameter) -> Bool {
        guard case .weight(let own, _) = self else { return false }
        return own === weight
    }
}

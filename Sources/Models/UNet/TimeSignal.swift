import Layers
import TensorCore

/// The projections of the time embedding that the ResNet blocks of a U-Net add to their channels.
///
/// Each is a product of few rows, one an image, that costs the reading of its weights.
/// A prediction makes one of them all.
struct TimeReaders {
    let projections: [Linear]
    /// Where each projection's columns lie, by its weight.
    private let columns: [ObjectIdentifier: Range<Int>]

    init(_ blocks: [ResnetBlock]) {
        projections = blocks.filter { !$0.isRemoved }.map(\.timeProjection)
        var columns: [ObjectIdentifier: Range<Int>] = [:]
        var offset = 0
        for projection in projections {
            columns[ObjectIdentifier(projection.weight)] = offset..<(offset + projection.to.width)
            offset += projection.to.width
        }
        self.columns = columns
    }

    /// - Parameter embedding: `[B, time]`, after the activation.
    func signal(_ embedding: Variable) -> TimeSignal {
        let isJoined = Linear.joinsLayers && !projections.isEmpty
        return TimeSignal(
            embedding: embedding,
            joined: isJoined ? Linear.joined(projections, "time_emb_proj", of: embedding) : nil, columns: columns)
    }
}

/// The timestep as ResNet blocks read it.
struct TimeSignal {
    /// `[B, time]`, after the activation.
    let embedding: Variable
    /// All projections side by side, in a prediction.
    fileprivate let joined: Variable?
    fileprivate let columns: [ObjectIdentifier: Range<Int>]

    /// What a block's `projection` makes of the embedding, without gates: `[B, to]`.
    func projected(by projection: Linear) -> Variable {
        guard let joined, let range = columns[ObjectIdentifier(projection.weight)] else {
            return projection.ungated(embedding)
        }
        guard joined.shape[0] == 1 else { return joined.channels(range) }
        return Variable(joined.value.reshaped([joined.value.count]).rows(range).reshaped([1, range.count]))
    }
}

import Layers
import TensorCore

/// The class conditioning of a U-Net: a table, a timestep-like embedding, vectors as given, or none.
package struct ClassEmbedder {
    package enum Kind {
        case none
        case table(Embedding)
        case timestep(TimestepEmbedding)
        case identity
    }
    package let kind: Kind
    package let axis: ChannelAxis

    init(
        _ configuration: UNetConfiguration, timeProjection: ChannelAxis, to axis: ChannelAxis,
        builder: ChannelAxisBuilder
    ) throws {
        self.axis = axis
        switch configuration.classEmbedType {
        case .timestep:
            kind = .timestep(try TimestepEmbedding("class_embedding", from: timeProjection, to: axis, builder: builder))
        case .identity:
            kind = .identity
        case nil:
            kind =
                configuration.numClassEmbeds.map { .table(Embedding("class_embedding", count: $0, to: axis)) } ?? .none
        }
    }

    var parameters: [Parameter] {
        switch kind {
        case .none, .identity: []
        case .table(let table): table.parameters
        case .timestep(let embedding): embedding.parameters
        }
    }

    var computeTerms: [ComputeTerm] {
        if case .timestep(let embedding) = kind { return embedding.computeTerms }
        return []
    }

    /// `[B, time]`, or nil for an unconditional model.
    func callAsFunction(_ labels: ClassLabels?, timeProjection: TimeProjection) -> Variable? {
        switch (kind, labels) {
        case (.table(let table), .numbers(let numbers)):
            return table(numbers.map { Int($0) })
        case (.timestep(let embedding), .numbers(let numbers)):
            return embedding(timeProjection(numbers))
        case (.identity, .vectors(let vectors)):
            let columns = Variable(keptColumns(of: vectors))
            return axis.gate.map { columns.gated(by: $0) } ?? columns
        default:
            return nil
        }
    }

    /// The vectors cover the whole embedding; a pruned model reads the channels it has left.
    private func keptColumns(of vectors: Tensor) -> Tensor {
        let positions = axis.keptPositions
        guard positions.count != axis.originalWidth else { return vectors }
        let rows = vectors.shape[0]
        let result = Tensor(uninitialized: [rows, positions.count])
        for row in 0..<rows {
            for (column, position) in positions.enumerated() {
                result.pointer[row * positions.count + column] = vectors.pointer[row * axis.originalWidth + position]
            }
        }
        return result
    }
}

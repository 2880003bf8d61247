import Layers
import TensorCore

/// What the blocks of a U-Net share in one pass through it.
struct BlockPass {
    let time: TimeSignal
    let dropout: DropoutStream?
    /// Whether what is inside a block is dropped, and computed again in the backward pass.
    let isCheckpointed: Bool
    /// Where what the blocks put out is kept; nil for nowhere.
    let outputs: BlockOutputs?

    /// Runs a block that reads `inputs` and the time embedding;
    /// its argument is the dropout stream that it is to draw from.
    func run(_ inputs: [Variable], _ block: @escaping (DropoutStream?) -> Variable) -> Variable {
        let output = output(of: inputs, block)
        outputs?.append(output)
        return output
    }

    private func output(of inputs: [Variable], _ block: @escaping (DropoutStream?) -> Variable) -> Variable {
        guard isCheckpointed else { return block(dropout) }
        let before = dropout?.copy()
        return .checkpointed(inputs + [time.embedding]) { isRepeated in
            isRepeated ? LayerOperation.unobserved { block(before) } : block(dropout)
        }
    }
}

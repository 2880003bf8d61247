extension Variable {
    /// The result of `body`, of which nothing but `inputs` is kept for the backward pass: that runs `body` again to have
    /// what it needs (gradient checkpointing). Gradients and their tangents are bit for bit those of `body` recorded.
    ///
    /// Based on: Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
    ///
    /// - Parameters:
    ///   - inputs: the variables that `body` computes with, parameters apart.
    ///   - body: computes the same each time; its argument says whether it is run again.
    public static func checkpointed(_ inputs: [Variable], _ body: @escaping (_ isRepeated: Bool) -> Variable)
        -> Variable
    {
        guard Autograd.isRecording else { return body(false) }
        let output = Autograd.withoutRecording { body(false) }
        // The body's parameters may ask for gradients where no input does.
        return .recorded(output.value, tangent: output.tangent, of: inputs) { cotangent in
            Autograd.$isRecording.withValue(true) {
                let start = Autograd.nextSerial()
                // What the inputs were made by was recorded before, so gradients gather in them in the usual order.
                body(true).adjoint?.backward(from: cotangent, recordedAfter: start)
            }
        }
    }
}

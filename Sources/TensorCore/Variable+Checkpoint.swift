extension Variable {
    /// The result of `body`, of which nothing but `inputs` is kept for the backward pass: that runs `body` again to
    /// have what it needs (gradient checkpointing). Gradients and their tangents are bit for bit those of `body`
    /// recorded.
    ///
    /// Whatever `body` computes with is a leaf (a parameter, a constant), is derived from leaves *inside* `body`, or is
    /// listed among `inputs`. That holds for effective weights and gates too: a reparameterisation belongs inside the
    /// body. A variable that was recorded before and is not listed would get no gradient, so the backward pass stops
    /// there with an error of the program.
    ///
    /// Based on: Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
    ///
    /// - Parameters:
    ///   - inputs: the variables that `body` computes with, leaves apart.
    ///   - body: computes the same each time; its argument says whether it is run again.
    public static func checkpointed(_ inputs: [Variable], _ body: @escaping (_ isRepeated: Bool) -> Variable)
        -> Variable
    {
        guard Autograd.isRecording else { return body(false) }
        let output = Autograd.withoutRecording { body(false) }
        // The body's parameters may ask for gradients where no input does.
        return .recorded(output.value, tangent: output.tangent, of: inputs) {
            [adjoints = inputs.compactMap(\.adjoint)]
            cotangent in
            Autograd.$isRecording.withValue(true) {
                let start = Autograd.nextSerial()
                // What the inputs were made by was recorded before, so gradients gather in them in the usual order.
                body(true).adjoint?.backward(from: cotangent, recordedAfter: start, reaching: adjoints)
            }
        }
    }
}

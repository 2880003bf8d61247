import TensorCore

/// How a stored parameter becomes the one that a layer computes with: masked, thresholded, noisy.
///
/// Layers ask for a parameter's `effective` variable where they compute, so it is made inside a block under gradient
/// checkpointing, and once for all predictions of a frozen network (`PreparedWeights`).
public protocol Reparameterization: AnyObject {
    /// The variable to compute with, of `base`'s shape. The same values at every call within one pass.
    func materialize(_ base: Variable) -> Variable
}

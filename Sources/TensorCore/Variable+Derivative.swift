import CKernels

extension Variable {
    /// The value f and its derivative ḟ = J·v along the direction that is being differentiated, as variables without
    /// tangents, which a loss L(f, ḟ) can be made of: whatever has a tangent v where the direction begins, an input or
    /// parameters, J = ∂f/∂ of that.
    ///
    /// `backward()` gives ∂L/∂w of such a loss exactly, in one pass forward and one back, with tangents:
    ///
    ///     dL/dw = (∂f/∂w)ᵀ·a + (∂ḟ/∂w)ᵀ·b,    a = ∂L/∂f,  b = ∂L/∂ḟ
    ///
    /// The backward pass from f with the adjoint b and the adjoint's tangent a gives every w the gradient (∂f/∂w)ᵀ·b
    /// and, as that gradient's tangent along v, d/dv (∂f/∂w)ᵀ·b + (∂f/∂w)ᵀ·a. Derivatives along v and by w can be taken
    /// in either order, d/dv (∂f/∂w)ᵀ·b = (∂ḟ/∂w)ᵀ·b, so this tangent is the whole of dL/dw. A loss that has a
    /// derivative in it therefore starts its backward pass with the adjoint 0 and its tangent 1. Behind the separation
    /// tangents of adjoints are what adjoints are in an ordinary pass; here that of ḟ becomes the adjoint of what was
    /// separated, that of f the tangent of its adjoint; and leaves take the tangents for their gradients. Terms of the
    /// loss that have no derivatives in them, weights that several share, gates, and what is computed again (gradient
    /// checkpointing, with the separation outside) are part of the same pass.
    ///
    /// Hessian–vector products of such a loss are not to be had.
    ///
    /// Based on: Pearlmutter, "Fast exact multiplication by the Hessian", 1994 (forward over reverse).
    public func separated() -> (value: Variable, derivative: Variable) {
        let ahead = Variable.result(value, of: [self]) { [adjoint] cotangent in
            adjoint?.contribute(adopting: Dual(cotangent))
        }
        guard let tangent else { return (ahead, Variable(Tensor(zeros: shape))) }
        let derivative = Variable.result(tangent, of: [self], readsTangent: true) { [adjoint] cotangent in
            guard let slope = cotangent.tangent else {
                preconditionFailure("a derivative was separated inside a checkpointed body")
            }
            adjoint?.contribute(adopting: Dual(slope, tangent: nil))
        }
        return (ahead, derivative)
    }
}

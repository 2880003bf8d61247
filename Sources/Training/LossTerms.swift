import TensorCore

/// The loss of a batch, and what logs show of it.
public struct LossTerms {
    /// What derivatives are taken of; a scalar.
    public let total: Variable
    /// What logs show as the loss: that of the task alone, so that runs with and without further terms can be compared.
    public let loss: Float
    /// The terms beside it, without their weights, by the names that logs show them under.
    public let others: [String: Float]

    /// - Parameters:
    ///   - total: the sum, weighted.
    ///   - loss: nil where the total is all there is.
    ///   - others: terms beside the loss.
    public init(_ total: Variable, loss: Float? = nil, others: [String: Float] = [:]) {
        self.total = total
        self.loss = loss ?? total.value.scalar
        self.others = others
    }
}

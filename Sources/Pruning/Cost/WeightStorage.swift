/// How a network's weights lie in a file, for budgets in bytes. Tensors are those of the network's parameters, in their
/// order.
public protocol WeightStorage: Sendable {
    /// Bytes of one element of each tensor.
    var elementBytes: [Int] { get }
    /// Bytes of a file beside the elements.
    ///
    /// - Parameter shapes: in files, one a tensor; one without elements is left out of the file.
    func overhead(of shapes: [[Int]]) -> Int
    /// Bytes, at the most, that the compact form of weights with zeros has beside the elements that are not zero.
    ///
    /// - Parameters:
    ///   - shapes: in files, one a tensor.
    ///   - isCompact: whether a tensor's zeros are left out; all of another stays, and is counted.
    func compactOverhead(of shapes: [[Int]], isCompact: [Bool]) -> Int
}

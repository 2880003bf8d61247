import CKernels

extension Variable {
    /// Concatenation along the last dimension.
    public static func concatenated(_ parts: [Variable]) -> Variable {
        precondition(!parts.isEmpty, "nothing to concatenate")
        let rows = parts[0].value.rowCount
        precondition(
            parts.allSatisfy { $0.shape.dropLast() == parts[0].shape.dropLast() },
            "concatenating \(parts.map(\.shape))")
        let widths = parts.map { $0.value.columns }
        let total = widths.reduce(0, +)
        let shape = Array(parts[0].shape.dropLast()) + [total]
        let join = { (tensors: [Tensor?]) -> Tensor in
            let missing = tensors.contains { $0 == nil }
            let result = missing ? Tensor(zeros: shape) : Tensor(uninitialized: shape)
            var offset = 0
            for (tensor, width) in zip(tensors, widths) {
                if let tensor {
                    dk_copy_matrix(tensor.pointer, width, rows, width, result.pointer + offset, total, 0)
                }
                offset += width
            }
            return result
        }
        let hasTangent = parts.contains { $0.tangent != nil }
        let adjoints = parts.map(\.adjoint)
        return .result(
            join(parts.map(\.value)), tangent: hasTangent ? join(parts.map(\.tangent)) : nil, of: parts
        ) { cotangent in
            var offset = 0
            for (part, width) in zip(adjoints, widths) {
                part?.contributeLinear(cotangent) { g, out, accumulate in
                    dk_copy_matrix(g.pointer + offset, total, rows, width, out, width, accumulate)
                }
                offset += width
            }
        }
    }

    /// Columns `range` of the last dimension.
    public func channels(_ range: Range<Int>) -> Variable {
        let total = value.columns
        let rows = value.rowCount
        precondition(range.lowerBound >= 0 && range.upperBound <= total, "channels \(range) of \(shape)")
        let shape = Array(self.shape.dropLast()) + [range.count]
        let cut = { (x: Tensor) -> Tensor in
            let result = Tensor(uninitialized: shape)
            dk_copy_matrix(x.pointer + range.lowerBound, total, rows, range.count, result.pointer, range.count, 0)
            return result
        }
        let count = value.count
        return .result(cut(value), tangent: tangent.map(cut), of: [self]) { [adjoint] cotangent in
            adjoint?.contributeLinear(cotangent) { g, out, accumulate in
                if accumulate == 0 { dk_fill(0, out, count) }
                dk_copy_matrix(g.pointer, range.count, rows, range.count, out + range.lowerBound, total, 1)
            }
        }
    }
}

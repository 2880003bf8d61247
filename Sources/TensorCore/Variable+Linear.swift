import CKernels

extension Variable {
    /// `self` `[…, in]` times `weight` `[in, out]` plus `bias` `[out]`: `[…, out]`.
    public func linear(_ weight: Variable, bias: Variable? = nil) -> Variable {
        let inner = value.columns
        precondition(weight.shape.count == 2 && weight.shape[0] == inner, "linear of \(shape) with \(weight.shape)")
        let outer = weight.shape[1]
        let rows = value.rowCount
        let (savedX, savedW) = (saved, weight.saved)
        let (xAdjoint, wAdjoint, biasAdjoint) = (adjoint, weight.adjoint, bias?.adjoint)
        let product: BilinearKernel = { x, w, out, accumulate in
            MatrixProduct.compute(
                x.pointer, rows: rows, inner: inner, lda: inner, w.pointer, columns: outer, ldb: outer, into: out,
                ldc: outer, accumulate: accumulate)
        }
        let outputShape = Array(shape.dropLast()) + [outer]
        let biasDual = bias.map(Dual.init)
        let value = { (x: Dual, w: Dual) -> Tensor in
            let output = Tensor(uninitialized: outputShape)
            MatrixProduct.compute(
                x.value.pointer, rows: rows, inner: inner, lda: inner, w.value.pointer, columns: outer, ldb: outer,
                into: output.pointer, ldc: outer, bias: biasDual.map { UnsafePointer($0.value.pointer) }, accumulate: 0)
            return output
        }
        let tangent = { (x: Dual, w: Dual) -> Tensor? in
            let tangent = Dual.bilinearTangent(x, w, shape: outputShape, product)
            guard let biasTangent = biasDual?.tangent else { return tangent }
            let sum = tangent ?? Tensor(zeros: outputShape)
            dk_affine_images(nil, nil, nil, nil, biasTangent.pointer, 1, rows, outer, sum.pointer, 1)
            return sum
        }
        let (x, w) = (Dual(self), Dual(weight))
        return .result(
            PreparedWeights.isInUse ? linear(joining: [(weight, bias)]).value : value(x, w), tangent: tangent(x, w),
            of: [self, weight, bias],
            recomputed: Recomputation(of: [savedX, savedW], isCheap: false) {
                Dual(value($0[0], $0[1]), tangent: tangent($0[0], $0[1]))
            }
        ) { cotangent in
            let g = Saved.kept(Dual(cotangent))
            // First what needs the input, which may have to be computed again and is free afterwards.
            wAdjoint?.contributeBilinear(savedX, g) { x, g, out, accumulate in
                MatrixProduct.compute(
                    x.pointer, rows: inner, inner: rows, lda: inner, transposeA: true, g.pointer, columns: outer,
                    ldb: outer, into: out, ldc: outer, accumulate: accumulate)
            }
            xAdjoint?.contributeBilinear(g, savedW) { g, w, out, accumulate in
                MatrixProduct.compute(
                    g.pointer, rows: rows, inner: outer, lda: outer, w.pointer, columns: inner, ldb: outer,
                    transposeB: true, into: out, ldc: inner, accumulate: accumulate)
            }
            biasAdjoint?.contributeLinear(cotangent) { g, out, accumulate in
                dk_sum_pixels(g.pointer, 1, rows, outer, out, accumulate)
            }
        }
    }

    /// Linear layers of one input as one product with prepared weights, their outputs side by side: the bits that each
    /// gives by itself.
    ///
    /// Only where `PreparedWeights.isInUse`; tangents are not carried on.
    public func linear(joining layers: [(weight: Variable, bias: Variable?)]) -> Variable {
        let inner = value.columns
        precondition(
            PreparedWeights.isInUse && !layers.isEmpty && layers.allSatisfy { $0.weight.shape[0] == inner },
            "joined layers of \(shape)")
        let joined = PreparedWeights.current!.joined(layers)
        let output = Tensor(uninitialized: Array(shape.dropLast()) + [joined.columns])
        var problem = dk_gemm_problem()
        (problem.m, problem.n, problem.k, problem.batch) = (value.rowCount, joined.columns, inner, 1)
        (problem.a, problem.lda) = (UnsafePointer(value.pointer), inner)
        problem.packed_b = UnsafePointer(joined.packed.pointer)
        (problem.c, problem.ldc) = (output.pointer, joined.columns)
        problem.bias = joined.bias.map { UnsafePointer($0.pointer) }
        dk_gemm(&problem)
        return Variable(output)
    }

    /// Rows `indices` of the table `self` `[rows, C]`: `[indices.count, C]`.
    public func gatheredRows(_ indices: [Int]) -> Variable {
        precondition(shape.count == 2 && indices.allSatisfy { $0 >= 0 && $0 < shape[0] }, "row outside the table")
        let width = shape[1]
        let gather = { (table: Tensor) -> Tensor in
            let rows = Tensor(uninitialized: [indices.count, width])
            for (row, index) in indices.enumerated() {
                (rows.pointer + row * width).update(from: table.pointer + index * width, count: width)
            }
            return rows
        }
        let total = value.count
        return .result(gather(value), tangent: tangent.map(gather), of: [self]) { [adjoint] cotangent in
            adjoint?.contributeLinear(cotangent) { g, out, accumulate in
                if accumulate == 0 { dk_fill(0, out, total) }
                for (row, index) in indices.enumerated() {
                    dk_linear_combination(1, g.pointer + row * width, 0, nil, width, out + index * width, 1)
                }
            }
        }
    }
}

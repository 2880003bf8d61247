import CKernels

/// Where each head's columns lie in the inner width of an attention layer. Heads may have different widths.
public struct AttentionHeads: Sendable, Equatable {
    public let widths: [Int]
    /// What the logits are multiplied by: 1/√(width of a head before any pruning).
    public let scale: Float

    public init(widths: [Int], scale: Float) {
        self.widths = widths
        self.scale = scale
    }

    var columns: [Range<Int>] {
        var offset = 0
        return widths.map { width in
            defer { offset += width }
            return offset..<(offset + width)
        }
    }
}

/// The products of one head, over a batch of token sequences whose rows are `inner` floats apart.
private struct HeadProducts {
    let batch: Int, tokens: Int, inner: Int
    let columns: Range<Int>

    private var width: Int { columns.count }
    private var image: Int { tokens * inner }

    /// out[B, T, T] (+)= a[:, :, columns] · b[:, :, columns]ᵀ
    func tokenByToken(_ a: Tensor, _ b: Tensor, _ out: UnsafeMutablePointer<Float>, _ accumulate: Int32) {
        multiply(
            a.pointer + columns.lowerBound, rows: tokens, inner: width, lda: inner, b.pointer + columns.lowerBound,
            columns: tokens, ldb: inner, transposeB: true, into: out, ldc: tokens, accumulate: accumulate, batch: batch,
            strideA: image, strideB: image, strideC: tokens * tokens)
    }

    /// out[:, :, columns] (+)= p[B, T, T] · x[:, :, columns]
    func weighted(_ p: Tensor, _ x: Tensor, _ out: UnsafeMutablePointer<Float>, _ accumulate: Int32) {
        multiply(
            p.pointer, rows: tokens, inner: tokens, lda: tokens, x.pointer + columns.lowerBound, columns: width,
            ldb: inner, into: out + columns.lowerBound, ldc: inner, accumulate: accumulate, batch: batch,
            strideA: tokens * tokens, strideB: image, strideC: image)
    }

    /// out[:, :, columns] (+)= p[B, T, T]ᵀ · x[:, :, columns]
    func weightedTransposed(_ p: Tensor, _ x: Tensor, _ out: UnsafeMutablePointer<Float>, _ accumulate: Int32) {
        multiply(
            p.pointer, rows: tokens, inner: tokens, lda: tokens, transposeA: true, x.pointer + columns.lowerBound,
            columns: width, ldb: inner, into: out + columns.lowerBound, ldc: inner, accumulate: accumulate,
            batch: batch,
            strideA: tokens * tokens, strideB: image, strideC: image)
    }
}

/// A head's attention weights with their tangents, kept for the backward pass.
private struct HeadRecord {
    let products: HeadProducts
    let probabilities: Dual
}

extension Variable {
    /// Multi-head attention softmax(scale·Q·Kᵀ)·V; `self` is Q, all three `[B, T, inner]` → `[B, T, inner]`.
    public func attention(keys: Variable, values: Variable, heads: AttentionHeads) -> Variable {
        precondition(
            shape.count == 3 && keys.shape == shape && values.shape == shape && heads.widths.reduce(0, +) == shape[2],
            "attention of \(shape), \(keys.shape), \(values.shape) with heads \(heads.widths)")
        let (batch, tokens, inner) = (shape[0], shape[1], shape[2])
        let (q, k, v) = (Dual(self), Dual(keys), Dual(values))
        let hasTangent = q.tangent != nil || k.tangent != nil || v.tangent != nil
        let output = Tensor(uninitialized: shape)
        let outputTangent = hasTangent ? Tensor(uninitialized: shape) : nil
        let scale = heads.scale
        let rows = batch * tokens
        let square = [batch, tokens, tokens]
        let keepsRecords =
            Autograd.isRecording && (requiresGradient || keys.requiresGradient || values.requiresGradient)

        var records: [HeadRecord] = []
        for columns in heads.columns where !columns.isEmpty {
            let products = HeadProducts(batch: batch, tokens: tokens, inner: inner, columns: columns)
            let logits = Tensor(uninitialized: square)
            products.tokenByToken(q.value, k.value, logits.pointer, 0)
            let p = Tensor(uninitialized: square)
            dk_softmax(logits.pointer, scale, rows, tokens, p.pointer)
            products.weighted(p, v.value, output.pointer, 0)

            var pTangent: Tensor?
            if let logitsTangent = bilinearTangent(q, k, shape: square, products.tokenByToken) {
                // The softmax's Jacobian is symmetric: its forward tangent is its backward pass.
                let tangent = Tensor(uninitialized: square)
                dk_softmax_backward(p.pointer, logitsTangent.pointer, scale, rows, tokens, tangent.pointer, 0)
                pTangent = tangent
            }
            if let outputTangent {
                var accumulate: Int32 = 0
                if let pTangent {
                    products.weighted(pTangent, v.value, outputTangent.pointer, 0)
                    accumulate = 1
                }
                if let vTangent = v.tangent { products.weighted(p, vTangent, outputTangent.pointer, accumulate) }
            }
            if keepsRecords {
                records.append(HeadRecord(products: products, probabilities: Dual(p, tangent: pTangent)))
            }
        }

        return .result(output, tangent: outputTangent, of: [self, keys, values]) { [self] cotangent in
            let g = Dual(cotangent)
            let gradients = AttentionGradients(
                records: records, q: q, k: k, v: v, g: g, scale: scale, rows: rows, square: square, shape: self.shape)
            for (variable, gradient) in [(self, gradients.q), (keys, gradients.k), (values, gradients.v)] {
                variable.contribute(adopting: gradient)
            }
        }
    }
}

/// ∂/∂Q, ∂/∂K and ∂/∂V of attention with their tangents.
///
///     dV = Pᵀ·G    dP = G·Vᵀ    dS = softmax backward(P, dP)    dQ = dS·K    dK = dSᵀ·Q
private struct AttentionGradients {
    let q: Dual, k: Dual, v: Dual

    init(
        records: [HeadRecord], q: Dual, k: Dual, v: Dual, g: Dual, scale: Float, rows: Int, square: [Int], shape: [Int]
    ) {
        let tangents = [q.tangent, k.tangent, v.tangent, g.tangent].contains { $0 != nil }
        let dq = Tensor(uninitialized: shape)
        let dk = Tensor(uninitialized: shape)
        let dv = Tensor(uninitialized: shape)
        let (dqTangent, dkTangent, dvTangent) =
            tangents ? (Tensor(zeros: shape), Tensor(zeros: shape), Tensor(zeros: shape)) : (nil, nil, nil)
        let tokens = square[2]

        for record in records {
            let products = record.products
            let p = record.probabilities
            let dp = Dual(
                {
                    let dp = Tensor(uninitialized: square)
                    products.tokenByToken(g.value, v.value, dp.pointer, 0)
                    return dp
                }(), tangent: bilinearTangent(g, v, shape: square, products.tokenByToken))
            let dsValue = Tensor(uninitialized: square)
            dk_softmax_backward(p.value.pointer, dp.value.pointer, scale, rows, tokens, dsValue.pointer, 0)
            var dsTangent: Tensor?
            if p.tangent != nil || dp.tangent != nil {
                let tangent = Tensor(uninitialized: square)
                dk_softmax_backward_tangent(
                    p.value.pointer, dp.value.pointer, p.tangent?.pointer, dp.tangent?.pointer, scale, rows, tokens,
                    tangent.pointer, 0)
                dsTangent = tangent
            }
            let ds = Dual(dsValue, tangent: dsTangent)

            func product(_ kernel: BilinearKernel, _ a: Dual, _ b: Dual, _ value: Tensor, _ tangent: Tensor?) {
                kernel(a.value, b.value, value.pointer, 0)
                guard let tangent else { return }
                if let aTangent = a.tangent { kernel(aTangent, b.value, tangent.pointer, 1) }
                if let bTangent = b.tangent { kernel(a.value, bTangent, tangent.pointer, 1) }
            }
            product(products.weightedTransposed, p, g, dv, dvTangent)
            product(products.weighted, ds, k, dq, dqTangent)
            product(products.weightedTransposed, ds, q, dk, dkTangent)
        }
        self.q = Dual(dq, tangent: dqTangent)
        self.k = Dual(dk, tangent: dkTangent)
        self.v = Dual(dv, tangent: dvTangent)
    }
}

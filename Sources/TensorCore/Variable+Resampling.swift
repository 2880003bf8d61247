import CKernels

extension Variable {
    /// Nearest-neighbour upsampling by two of `[B, H, W, C]`.
    public func upsampled() -> Variable {
        precondition(shape.count == 4, "upsampling \(shape)")
        let (batch, height, width, channels) = (shape[0], shape[1], shape[2], shape[3])
        let upsample = { (x: Tensor) -> Tensor in
            let result = Tensor(uninitialized: [batch, 2 * height, 2 * width, channels])
            dk_upsample(x.pointer, batch, height, width, channels, result.pointer)
            return result
        }
        return .result(
            upsample(value), tangent: tangent.map(upsample), of: [self], recomputed: recomputation(upsample)
        ) { [adjoint] cotangent in
            adjoint?.contributeLinear(cotangent) { g, out, accumulate in
                dk_upsample_backward(g.pointer, batch, height, width, channels, out, accumulate)
            }
        }
    }

    /// 2×2 average pooling with stride 2 of `[B, H, W, C]`, H and W even.
    public func averagePooled() -> Variable {
        precondition(shape.count == 4 && shape[1] % 2 == 0 && shape[2] % 2 == 0, "2×2 pooling of \(shape)")
        let (batch, height, width, channels) = (shape[0], shape[1] / 2, shape[2] / 2, shape[3])
        let pool = { (x: Tensor) -> Tensor in
            let sums = Tensor(uninitialized: [batch, height, width, channels])
            dk_upsample_backward(x.pointer, batch, height, width, channels, sums.pointer, 0)
            dk_linear_combination(0.25, sums.pointer, 0, nil, sums.count, sums.pointer, 0)
            return sums
        }
        return .result(pool(value), tangent: tangent.map(pool), of: [self]) { [adjoint] cotangent in
            adjoint?.contributeLinear(cotangent) { g, out, accumulate in
                let spread = Tensor(uninitialized: [batch, 2 * height, 2 * width, channels])
                dk_upsample(g.pointer, batch, height, width, channels, spread.pointer)
                dk_linear_combination(0.25, spread.pointer, 0, nil, spread.count, out, accumulate)
            }
        }
    }

    /// 2×2 maxima with stride 2 of `[B, H, W, C]`, as PyTorch's `MaxPool2d(2)`: an odd last row or column is left out,
    /// and of equal largest values the first one's gradient is not zero.
    public func maximumPooled() -> Variable {
        precondition(shape.count == 4 && shape[1] >= 2 && shape[2] >= 2, "2×2 maxima of \(shape)")
        let (batch, height, width, channels) = (shape[0], shape[1], shape[2], shape[3])
        let pooled = [batch, height / 2, width / 2, channels]
        let pool = { (x: Dual) -> Dual in
            func taken(_ from: Tensor) -> Tensor {
                let result = Tensor(uninitialized: pooled)
                dk_max_pool(x.value.pointer, from.pointer, batch, height, width, channels, result.pointer)
                return result
            }
            return Dual(taken(x.value), tangent: x.tangent.map(taken))
        }
        let saved = saved
        let output = pool(Dual(self))
        return .result(output.value, tangent: output.tangent, of: [self]) { [adjoint] cotangent in
            let x = saved.dual
            adjoint?.contributeLinear(cotangent) { g, out, accumulate in
                dk_max_pool_backward(
                    x.value.pointer, g.pointer, batch, height, width, channels, out, accumulate)
            }
        }
    }

    /// Halves `[B, H, W, C]`, H and W even, by the separable filter (1, 3, 3, 1)/8 with zeros beyond the image:
    /// diffusers' `FirDownsample2D`. In one direction y[h] = (x[2h−1] + 3·x[2h] + 3·x[2h+1] + x[2h+2])/8.
    public func filteredDown() -> Variable {
        precondition(shape.count == 4 && shape[1] % 2 == 0 && shape[2] % 2 == 0, "filtering \(shape) down")
        let (batch, height, width, channels) = (shape[0], shape[1] / 2, shape[2] / 2, shape[3])
        let filter = { (x: Tensor) -> Tensor in
            let result = Tensor(uninitialized: [batch, height, width, channels])
            dk_fir_downsample(x.pointer, batch, height, width, channels, 1, result.pointer, 0)
            return result
        }
        return .result(filter(value), tangent: tangent.map(filter), of: [self]) { [adjoint] cotangent in
            adjoint?.contributeLinear(cotangent) { g, out, accumulate in
                dk_fir_upsample(g.pointer, batch, height, width, channels, 0.25, out, accumulate)
            }
        }
    }

    /// Doubles `[B, H, W, C]` by the same filter between zeros, times 4: diffusers' `FirUpsample2D`. In one direction
    /// y[2q] = (x[q−1] + 3·x[q])/4 and y[2q+1] = (3·x[q] + x[q+1])/4.
    public func filteredUp() -> Variable {
        precondition(shape.count == 4, "filtering \(shape) up")
        let (batch, height, width, channels) = (shape[0], shape[1], shape[2], shape[3])
        let filter = { (x: Tensor) -> Tensor in
            let result = Tensor(uninitialized: [batch, 2 * height, 2 * width, channels])
            dk_fir_upsample(x.pointer, batch, height, width, channels, 1, result.pointer, 0)
            return result
        }
        return .result(
            filter(value), tangent: tangent.map(filter), of: [self], recomputed: recomputation(filter)
        ) { [adjoint] cotangent in
            adjoint?.contributeLinear(cotangent) { g, out, accumulate in
                dk_fir_downsample(g.pointer, batch, height, width, channels, 4, out, accumulate)
            }
        }
    }

    /// Computes a linear map of this variable's value again: where it enlarges, its input is the less to keep.
    func recomputation(_ map: @escaping (Tensor) -> Tensor) -> Recomputation {
        Recomputation(of: [saved]) { Dual(map($0[0].value), tangent: $0[0].tangent.map(map)) }
    }
}

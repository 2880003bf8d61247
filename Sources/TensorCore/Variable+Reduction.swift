import CKernels

/// What a sum or mean goes over.
public enum SummedDimensions: Sendable {
    /// all elements: `[…]` → `[]`, a scalar
    case all
    /// the first dimension: `[N, …]` → `[…]`
    case leading
    /// the last dimension: `[…, N]` → `[…]`
    case last
    /// all but the first and the last dimension, the pixels of images: `[B, …, C]` → `[B, C]`
    case pixels
}

/// A tensor seen as `[images, pixels, channels]`, for sums over the pixels and their adjoint.
private struct PixelSum {
    let images: Int, pixels: Int, channels: Int
    /// Of the sums.
    let shape: [Int]

    init(of shape: [Int], over dimensions: SummedDimensions) {
        func count(_ part: some Sequence<Int>) -> Int { part.reduce(1, *) }
        switch dimensions {
        case .all:
            (images, pixels, channels, self.shape) = (1, count(shape), 1, [])
        case .leading:
            precondition(!shape.isEmpty, "a scalar has no leading dimension")
            (images, pixels, channels) = (1, shape[0], count(shape.dropFirst()))
            self.shape = Array(shape.dropFirst())
        case .last:
            precondition(!shape.isEmpty, "a scalar has no last dimension")
            (images, pixels, channels) = (count(shape.dropLast()), shape[shape.count - 1], 1)
            self.shape = Array(shape.dropLast())
        case .pixels:
            precondition(shape.count >= 2, "no pixels in a tensor of shape \(shape)")
            (images, channels) = (shape[0], shape[shape.count - 1])
            pixels = count(shape.dropFirst().dropLast())
            self.shape = [images, channels]
        }
    }

    /// out (+)= the sums of x.
    func sum(_ x: Tensor, _ out: UnsafeMutablePointer<Float>, _ accumulate: Int32) {
        if images * channels == 1 {
            out[0] = Float(dk_sum(x.pointer, pixels)) + (accumulate == 0 ? 0 : out[0])
        } else {
            dk_sum_pixels(x.pointer, images, pixels, channels, out, accumulate)
        }
    }

    /// out (+)= x for every pixel.
    func spread(_ x: Tensor, _ out: UnsafeMutablePointer<Float>, _ accumulate: Int32) {
        dk_affine_images(nil, nil, nil, nil, x.pointer, images, pixels, channels, out, accumulate)
    }
}

extension Variable {
    /// The sum over `dimensions`. That of a whole tensor is taken in double.
    public func summed(over dimensions: SummedDimensions) -> Variable {
        let plan = PixelSum(of: shape, over: dimensions)
        return linearImage(shape: plan.shape, plan.sum, adjoint: plan.spread, isRecomputed: false)
    }

    /// The mean over `dimensions`.
    public func averaged(over dimensions: SummedDimensions) -> Variable {
        let pixels = PixelSum(of: shape, over: dimensions).pixels
        return summed(over: dimensions).scaled(by: 1 / Float(pixels))
    }

    /// Mean over the pixels of each image: `[B, …, C]` → `[B, C]`.
    public func meanOverPixels() -> Variable { averaged(over: .pixels) }

    /// The same values for every index of the dimensions that `shape` has before those of `self`: a scalar everywhere,
    /// or channels `[C]` in every row of `[…, C]`.
    public func broadcast(to shape: [Int]) -> Variable {
        precondition(
            Array(shape.suffix(self.shape.count)) == self.shape, "\(self.shape) is not the end of \(shape)")
        let plan = PixelSum(of: [shape.dropLast(self.shape.count).reduce(1, *)] + self.shape, over: .leading)
        return linearImage(shape: shape, plan.spread, adjoint: plan.sum, isRecomputed: true)
    }

    /// The image under a linear map.
    private func linearImage(
        shape: [Int], _ map: @escaping (Tensor, UnsafeMutablePointer<Float>, Int32) -> Void,
        adjoint adjointMap: @escaping (Tensor, UnsafeMutablePointer<Float>, Int32) -> Void, isRecomputed: Bool
    ) -> Variable {
        let image = { (x: Tensor) -> Tensor in
            let result = Tensor(uninitialized: shape)
            map(x, result.pointer, 0)
            return result
        }
        return .result(
            image(value), tangent: tangent.map(image), of: [self], recomputed: isRecomputed ? recomputation(image) : nil
        ) { [adjoint] cotangent in
            adjoint?.contributeLinear(cotangent, adjointMap)
        }
    }
}

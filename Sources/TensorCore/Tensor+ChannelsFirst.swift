import CKernels

extension Tensor {
    /// From `[N, C, H, W]` values, the order of files, to `[N, H, W, C]`.
    public init(channelsFirst values: [Float], shape: [Int]) {
        precondition(
            shape.count == 4 && values.count == shape.reduce(1, *), "\(values.count) values for shape \(shape)")
        self.init(uninitialized: [shape[0], shape[2], shape[3], shape[1]])
        dk_nchw_to_nhwc(values, shape[0], shape[2] * shape[3], shape[1], pointer)
    }

    /// The values of `[N, H, W, C]` in the order `[N, C, H, W]`.
    public var channelsFirst: (shape: [Int], values: [Float]) {
        let (height, width, channels) = (shape[1], shape[2], shape[3])
        let values = [Float](unsafeUninitializedCapacity: count) { place, filled in
            if let base = place.baseAddress { dk_nhwc_to_nchw(pointer, shape[0], height * width, channels, base) }
            filled = count
        }
        return ([shape[0], channels, height, width], values)
    }
}

import CKernels
import Testing

/// A convolution, its three passes through the kernels, and the same in double.
private struct Convolution {
    var shape: dk_conv_shape
    var x: [Float], w: [Float], g: [Float], bias: [Float], imageBias: [Float], residual: [Float]

    init?(
        batch: Int, height: Int, width: Int, input: Int, output: Int, kernel: Int, stride: Int, padTop: Int,
        padLeft: Int,
        padEnd: Int, random: inout KernelRandom
    ) {
        let outHeight = height + padTop + padEnd - kernel, outWidth = width + padLeft + padEnd - kernel
        guard outHeight >= 0, outWidth >= 0 else { return nil }
        shape = dk_conv_shape(
            batch: batch, in_height: height, in_width: width, in_channels: input, out_height: outHeight / stride + 1,
            out_width: outWidth / stride + 1, out_channels: output, kernel: kernel, stride: stride, pad_top: padTop,
            pad_left: padLeft)
        let pixels = shape.out_height * shape.out_width
        x = random.values(batch * height * width * input)
        w = random.values(kernel * kernel * input * output)
        g = random.values(batch * pixels * output)
        bias = random.values(output)
        imageBias = random.values(batch * output)
        residual = random.values(batch * pixels * output)
    }

    init?(same batch: Int, _ side: Int, _ input: Int, _ output: Int, random: inout KernelRandom) {
        self.init(
            batch: batch, height: side, width: side, input: input, output: output, kernel: 3, stride: 1, padTop: 1,
            padLeft: 1, padEnd: 1, random: &random)
    }

    var label: String {
        "\(shape.batch)×\(shape.in_height)×\(shape.in_width)×\(shape.in_channels)→\(shape.out_channels) "
            + "k\(shape.kernel) s\(shape.stride) p\(shape.pad_top),\(shape.pad_left)"
    }

    /// What a forward pass adds to the products.
    enum Ending: CaseIterable { case nothing, bias, everything }

    /// Runs a pass in a workspace of just the size it asks for.
    private func inWorkspace(
        _ pass: dk_conv_pass, _ body: (UnsafePointer<dk_conv_shape>, UnsafeMutablePointer<Float>) -> Void
    ) {
        var shape = shape
        let size = dk_conv_workspace_size(&shape, pass)
        var workspace = [Float](repeating: .nan, count: size) + Array(repeating: 0.5, count: 64)
        body(&shape, &workspace)
        #expect(workspace[size...].allSatisfy { $0 == 0.5 }, "\(label): a workspace that was too small")
    }

    func forward(_ ending: Ending, accumulate: Bool = false) -> [Float] {
        var y = accumulate ? g : [Float](repeating: .nan, count: g.count)
        let add: Int32 = accumulate ? 1 : 0
        inWorkspace(DK_CONV_FORWARD) { shape, room in
            switch ending {
            case .nothing: dk_conv_forward(shape, x, w, nil, nil, nil, &y, add, room)
            case .bias: dk_conv_forward(shape, x, w, bias, nil, nil, &y, add, room)
            case .everything: dk_conv_forward(shape, x, w, bias, imageBias, residual, &y, add, room)
            }
        }
        return y
    }

    func inputGradient(accumulate: Bool = false) -> [Float] {
        var dx = accumulate ? x : [Float](repeating: .nan, count: x.count)
        inWorkspace(DK_CONV_INPUT_GRADIENT) { dk_conv_input_gradient($0, g, w, &dx, accumulate ? 1 : 0, $1) }
        return dx
    }

    func weightGradient(accumulate: Bool = false) -> [Float] {
        var dw = accumulate ? w : [Float](repeating: .nan, count: w.count)
        inWorkspace(DK_CONV_WEIGHT_GRADIENT) { dk_conv_weight_gradient($0, x, g, &dw, accumulate ? 1 : 0, $1) }
        return dw
    }

    /// Calls body(x index, w index, y index) for every product of the convolution.
    private func forEachTerm(_ body: (Int, Int, Int) -> Void) {
        let s = shape
        for b in 0..<s.batch {
            for oy in 0..<s.out_height {
                for ox in 0..<s.out_width {
                    let y0 = ((b * s.out_height + oy) * s.out_width + ox) * s.out_channels
                    for ky in 0..<s.kernel {
                        for kx in 0..<s.kernel {
                            let iy = oy * s.stride + ky - s.pad_top, ix = ox * s.stride + kx - s.pad_left
                            guard iy >= 0, ix >= 0, iy < s.in_height, ix < s.in_width else { continue }
                            let x0 = ((b * s.in_height + iy) * s.in_width + ix) * s.in_channels
                            for ci in 0..<s.in_channels {
                                let w0 = ((ky * s.kernel + kx) * s.in_channels + ci) * s.out_channels
                                for co in 0..<s.out_channels { body(x0 + ci, w0 + co, y0 + co) }
                            }
                        }
                    }
                }
            }
        }
    }

    func references(
        _ ending: Ending, accumulate: Bool
    ) -> (y: [MeasuredSum], dx: [MeasuredSum], dw: [MeasuredSum]) {
        var y = [MeasuredSum](repeating: MeasuredSum(), count: g.count)
        var dx = [MeasuredSum](repeating: MeasuredSum(), count: x.count)
        var dw = [MeasuredSum](repeating: MeasuredSum(), count: w.count)
        forEachTerm { xi, wi, yi in
            y[yi] += Double(x[xi]) * Double(w[wi])
            dx[xi] += Double(g[yi]) * Double(w[wi])
            dw[wi] += Double(g[yi]) * Double(x[xi])
        }
        let channels = shape.out_channels, image = shape.out_height * shape.out_width * channels
        for i in y.indices {
            if ending != .nothing { y[i] += Double(bias[i % channels]) }
            if ending == .everything {
                y[i] += Double(imageBias[i / image * channels + i % channels])
                y[i] += Double(residual[i])
            }
            if accumulate { y[i] += Double(g[i]) }
        }
        if accumulate {
            for i in dx.indices { dx[i] += Double(x[i]) }
            for i in dw.indices { dw[i] += Double(w[i]) }
        }
        return (y, dx, dw)
    }

    /// The same convolution of one image alone.
    func image(_ index: Int) -> Convolution {
        var one = self
        one.shape.batch = 1
        func slice(_ values: [Float]) -> [Float] {
            let size = values.count / shape.batch
            return Array(values[(index * size)..<((index + 1) * size)])
        }
        (one.x, one.g, one.imageBias, one.residual) = (slice(x), slice(g), slice(imageBias), slice(residual))
        return one
    }

    func check(_ isa: String, _ ending: Ending = .everything, accumulate: Bool = false) {
        let expected = references(ending, accumulate: accumulate)
        // Winograd's errors are relative to all of a tile: at an image's corners they look larger beside few terms.
        let winograd = shape.kernel == 3 && shape.stride == 1 && min(shape.in_channels, shape.out_channels) >= 8
        let tolerance = winograd ? 5e-6 : 1e-6
        let forward = worstError(forward(ending, accumulate: accumulate), expected.y)
        #expect(forward < tolerance, "\(isa) \(label): forward \(forward)")
        let input = worstError(inputGradient(accumulate: accumulate), expected.dx)
        #expect(input < tolerance, "\(isa) \(label): input gradient \(input)")
        let weight = worstError(weightGradient(accumulate: accumulate), expected.dw)
        #expect(weight < 1e-6, "\(isa) \(label): weight gradient \(weight)")
    }
}

extension KernelTests {
    @Test func convolutionsOfOddShapesMatchDoubleReference() {
        onEveryISA { isa in
            var random = KernelRandom(11)
            for trial in 0..<80 {
                let convolution = Convolution(
                    batch: 1 + random.below(3), height: 1 + random.below(14), width: 1 + random.below(14),
                    input: 1 + random.below(24), output: 1 + random.below(50), kernel: trial & 1 == 0 ? 3 : 1,
                    stride: 1 + random.below(2), padTop: random.below(2), padLeft: random.below(2),
                    padEnd: random.below(2), random: &random)
                convolution?.check(isa, Convolution.Ending.allCases[trial / 4 % 3], accumulate: trial & 2 != 0)
            }
        }
    }

    /// Shapes of real networks, pruned ones and the first and last layers included.
    @Test(arguments: [
        (2, 32, 3, 40), (2, 32, 40, 3), (2, 32, 33, 1), (3, 16, 45, 61), (5, 8, 64, 64), (20, 4, 31, 70),
        (1, 4, 512, 33), (4, 16, 24, 40), (3, 20, 8, 8), (2, 32, 20, 21), (14, 8, 56, 17), (2, 9, 64, 4),
    ]) func convolutionsOfNetworkShapesMatchDoubleReference(batch: Int, side: Int, input: Int, output: Int) {
        onEveryISA { isa in
            var random = KernelRandom(12)
            Convolution(same: batch, side, input, output, random: &random)?.check(isa)
        }
    }

    /// Lines of whole tiles, rows of a matrix, widths that fill vectors or half of one, and what is left beside them.
    @Test(arguments: [
        (3, 32, 1, 32, 3, 1), (3, 32, 5, 24, 3, 1), (2, 24, 16, 40, 3, 2), (2, 32, 7, 33, 3, 2), (5, 6, 20, 16, 1, 1),
        (3, 16, 32, 48, 1, 1), (1, 13, 12, 8, 1, 1), (2, 16, 24, 30, 1, 1), (2, 12, 9, 20, 1, 2), (5, 16, 70, 3, 3, 1),
        (3, 10, 49, 2, 1, 1), (2, 9, 35, 4, 3, 2),
    ]) func convolutionsOfEvenLinesMatchDoubleReference(
        batch: Int, side: Int, input: Int, output: Int, kernel: Int, stride: Int
    ) {
        onEveryISA { isa in
            var random = KernelRandom(14)
            let convolution = Convolution(
                batch: batch, height: side, width: side, input: input, output: output, kernel: kernel, stride: stride,
                padTop: kernel / 2, padLeft: kernel / 2, padEnd: kernel / 2, random: &random)
            for ending in Convolution.Ending.allCases {
                for accumulate in [false, true] { convolution?.check(isa, ending, accumulate: accumulate) }
            }
            // An image's bits are the same in any batch.
            guard let convolution else { return }
            let whole = convolution.forward(.bias)
            let alone = (0..<batch).flatMap { convolution.image($0).forward(.bias) }
            #expect(sameBits(whole, alone), "\(isa) \(convolution.label)")
        }
    }

    @Test func paddingBeyondTheKernelIsZero() {
        onEveryISA { isa in
            var random = KernelRandom(13)
            let convolution = Convolution(
                batch: 1, height: 5, width: 4, input: 3, output: 4, kernel: 1, stride: 1, padTop: 2, padLeft: 1,
                padEnd: 2,
                random: &random)
            convolution?.check(isa)
        }
    }

    /// The one kernel that trades accuracy for speed: within 5·10⁻⁵ of the output's standard deviation.
    @Test(arguments: [(1, 16, 512, 33), (2, 17, 48, 50), (3, 8, 40, 64), (1, 31, 16, 16)])
    func winogradErrorIsSmallAgainstTheOutput(batch: Int, side: Int, input: Int, output: Int) {
        #expect(dk_winograd() == 1)
        onEveryISA { isa in
            var random = KernelRandom(15)
            guard let convolution = Convolution(same: batch, side, input, output, random: &random) else { return }
            let expected = convolution.references(.everything, accumulate: false)
            for (got, sums) in [
                (convolution.forward(.everything), expected.y), (convolution.inputGradient(), expected.dx),
                (convolution.weightGradient(), expected.dw),
            ] {
                let deviation = (sums.reduce(0) { $0 + $1.value * $1.value } / Double(sums.count)).squareRoot()
                let worst = zip(got, sums).map { abs(Double($0) - $1.value) }.max() ?? .infinity
                #expect(worst < 5e-5 * deviation, "\(isa) \(convolution.label): \(worst / deviation)")
            }
        }
    }

    /// Weights laid out once give the bits of those laid out at every call.
    @Test func preparedWeightsGiveTheSameBits() {
        onEveryISA { isa in
            var random = KernelRandom(17)
            for (side, input, output, kernel) in [(16, 40, 24, 3), (4, 24, 9, 3), (8, 32, 2, 3), (5, 30, 50, 1)] {
                let pad = kernel / 2
                let made = Convolution(
                    batch: 2, height: side, width: side, input: input, output: output, kernel: kernel, stride: 1,
                    padTop: pad, padLeft: pad, padEnd: pad, random: &random)
                guard let made else { continue }
                var shape = made.shape
                var packed = [Float](repeating: .nan, count: dk_conv_packed_size(&shape))
                dk_conv_pack(&shape, made.w, &packed)
                shape.batch = 1
                #expect(dk_conv_packed_size(&shape) == packed.count)
                for index in 0..<2 {
                    let image = made.image(index)
                    var y = [Float](repeating: .nan, count: image.g.count)
                    dk_conv_forward_packed(&shape, image.x, packed, image.bias, image.imageBias, image.residual, &y, 0)
                    #expect(sameBits(y, image.forward(.everything)), "\(isa) \(made.label)")
                }
            }
        }
    }

    /// Weights of so many channels that they are transformed for some columns after others give the bits of all at
    /// once.
    @Test func manyChannelsGiveTheBitsOfFewerAtATime() {
        onEveryISA { isa in
            var random = KernelRandom(18)
            guard var made = Convolution(same: 1, 16, 512, 144, random: &random) else { return }
            let whole = made.forward(.everything)
            var packed = [Float](repeating: .nan, count: dk_conv_packed_size(&made.shape))
            #expect(dk_conv_workspace_size(&made.shape, DK_CONV_FORWARD) < packed.count, "\(isa): nothing is divided")
            dk_conv_pack(&made.shape, made.w, &packed)
            var y = [Float](repeating: .nan, count: whole.count)
            dk_conv_forward_packed(&made.shape, made.x, packed, made.bias, made.imageBias, made.residual, &y, 0)
            #expect(sameBits(y, whole), "\(isa): forward")

            guard let back = Convolution(same: 1, 16, 144, 512, random: &random) else { return }
            let dx = back.inputGradient()
            for channels in [0..<96, 96..<144] {
                guard var some = Convolution(same: 1, 16, channels.count, 512, random: &random) else { return }
                some.g = back.g
                some.w = back.w.indices.filter { channels.contains($0 / 512 % 144) }.map { back.w[$0] }
                let expected = dx.indices.filter { channels.contains($0 % 144) }.map { dx[$0] }
                #expect(sameBits(some.inputGradient(), expected), "\(isa): input gradient of \(channels)")
            }
        }
    }

    @Test func winogradCanBeTurnedOff() {
        defer { dk_set_winograd(1) }
        var random = KernelRandom(16)
        guard let convolution = Convolution(same: 1, 16, 32, 32, random: &random) else { return }
        let fast = convolution.forward(.nothing)
        dk_set_winograd(0)
        let direct = convolution.forward(.nothing)
        #expect(!sameBits(fast, direct))
        #expect(worstError(fast, direct.map(Double.init)) < 1e-4)
    }

    @Test func convolutionBitsDependOnTheImageAlone() {
        onEveryISA { isa in
            var random = KernelRandom(14)
            for (batch, side, input, output) in [
                (7, 8, 24, 40), (5, 4, 40, 65), (3, 20, 18, 33), (3, 32, 64, 64), (5, 16, 24, 8),
            ] {
                guard let whole = Convolution(same: batch, side, input, output, random: &random) else { continue }
                var expected: (forward: [Float], input: [Float], weight: [Float])?
                withThreadCounts { threads in
                    let got = (whole.forward(.everything), whole.inputGradient(), whole.weightGradient())
                    if let expected {
                        #expect(sameBits(got.0, expected.forward), "\(isa) \(whole.label) forward, \(threads) threads")
                        #expect(sameBits(got.1, expected.input), "\(isa) \(whole.label) input, \(threads) threads")
                        #expect(sameBits(got.2, expected.weight), "\(isa) \(whole.label) weight, \(threads) threads")
                    }
                    expected = got
                }
                guard let expected else { continue }
                for index in 0..<batch {
                    let one = whole.image(index), y = one.forward(.everything), dx = one.inputGradient()
                    #expect(
                        sameBits(y, Array(expected.forward[(index * y.count)..<((index + 1) * y.count)])),
                        "\(isa) \(whole.label) image \(index)")
                    #expect(
                        sameBits(dx, Array(expected.input[(index * dx.count)..<((index + 1) * dx.count)])),
                        "\(isa) \(whole.label) image \(index), gradient")
                }
            }
        }
    }
}

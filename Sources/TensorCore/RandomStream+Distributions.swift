import Foundation

extension RandomStream {
    /// A number in the open interval (0, 1): the midpoint of one of 2⁵² equal cells, so its logarithm is finite.
    public mutating func uniform() -> Double {
        Self.unit(next())
    }

    /// A standard normal draw.
    public mutating func normal() -> Float {
        defer { position &+= 1 }
        return normal(at: position)
    }

    /// The standard normal draw of element `position`, leaving the stream where it is.
    public func normal(at position: UInt64) -> Float {
        let pair = normals(ofBlock: position >> 1)
        return position & 1 == 0 ? pair.even : pair.odd
    }

    /// Fills `values` with standard normal draws, on the engine's threads where there are many;
    /// the same bits as as many calls of `normal()`.
    public mutating func fillNormal(_ values: UnsafeMutableBufferPointer<Float>) {
        let start = self
        let piece = 2048
        Engine.parallel((values.count + piece - 1) / piece) { number in
            let range = number * piece..<min((number + 1) * piece, values.count)
            var stream = start
            stream.position &+= UInt64(range.lowerBound)
            stream.fillNormalHere(UnsafeMutableBufferPointer(rebasing: values[range]))
        }
        position &+= UInt64(values.count)
    }

    private mutating func fillNormalHere(_ values: UnsafeMutableBufferPointer<Float>) {
        var offset = 0
        if position & 1 == 1, !values.isEmpty {
            values[0] = normal()
            offset = 1
        }
        while offset + 1 < values.count {
            let pair = normals(ofBlock: position >> 1)
            values[offset] = pair.even
            values[offset + 1] = pair.odd
            offset += 2
            position &+= 2
        }
        if offset < values.count {
            values[offset] = normal()
        }
    }

    /// −1 or +1 with equal chance.
    public mutating func rademacher() -> Float {
        next() >> 63 == 0 ? -1 : 1
    }

    /// Fills `values` with −1 and +1; one element each.
    public mutating func fillRademacher(_ values: UnsafeMutableBufferPointer<Float>) {
        for offset in values.indices {
            values[offset] = rademacher()
        }
    }

    /// An integer in 0 ..< `bound`, every one with exactly the same chance.
    ///
    /// Lemire's multiplication method ("Fast random integer generation in an interval", 2019): the few products that
    /// would make some integers likelier are drawn again, so a call may use up more than one element.
    /// - Precondition: `bound` > 0.
    public mutating func nextInteger(below bound: Int) -> Int {
        precondition(bound > 0, "nextInteger(below:) needs a positive bound, got \(bound)")
        let range = UInt64(bound)
        var product = next().multipliedFullWidth(by: range)
        if product.low < range {
            let rejected = (0 &- range) % range
            while product.low < rejected {
                product = next().multipliedFullWidth(by: range)
            }
        }
        return Int(product.high)
    }

    /// The integers 0 ..< `count` in random order (Fisher–Yates, from the back).
    /// - Precondition: `count` ≥ 0.
    public mutating func permutation(count: Int) -> [Int] {
        precondition(count >= 0, "permutation(count:) needs a count of at least 0, got \(count)")
        var order = Array(0..<count)
        for last in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(last, nextInteger(below: last + 1))
        }
        return order
    }

    /// Box–Muller: the two independent normals of one block, from its two 64-bit halves.
    private func normals(ofBlock block: UInt64) -> (even: Float, odd: Float) {
        let (low, high) = halves(ofBlock: block, kind: .normal)
        let radius = (-2 * log(Self.unit(low))).squareRoot()
        let angle = 2 * Double.pi * Self.unit(high)
        return (Float(radius * cos(angle)), Float(radius * sin(angle)))
    }

    private static func unit(_ bits: UInt64) -> Double {
        (Double(bits >> 12) + 0.5) * 0x1p-52
    }
}

/// Runs of idle memory in order of address; neighbours are one.
struct FreeSpans {
    struct Span {
        var start: UInt
        var bytes: Int
        var end: UInt { start + UInt(bytes) }
    }
    private(set) var spans: [Span] = []

    /// The first span that holds `bytes` is taken from its beginning on.
    mutating func take(_ bytes: Int) -> UInt? {
        guard let index = spans.firstIndex(where: { $0.bytes >= bytes }) else { return nil }
        let start = spans[index].start
        take(bytes, at: index)
        return start
    }

    /// Takes `bytes` from the beginning of span `index`.
    mutating func take(_ bytes: Int, at index: Int) {
        if spans[index].bytes == bytes {
            spans.remove(at: index)
        } else {
            spans[index].start += UInt(bytes)
            spans[index].bytes -= bytes
        }
    }

    /// The span that ends at `end`, if there is one.
    func last(endingAt end: UInt) -> Span? {
        let index = firstIndex(from: end) - 1
        return index >= 0 && spans[index].end == end ? spans[index] : nil
    }

    mutating func remove(endingAt end: UInt) {
        if last(endingAt: end) != nil { spans.remove(at: firstIndex(from: end) - 1) }
    }

    mutating func insert(_ start: UInt, _ bytes: Int) {
        let index = firstIndex(from: start)
        let meetsLast = index > 0 && spans[index - 1].end == start
        let meetsNext = index < spans.count && spans[index].start == start + UInt(bytes)
        switch (meetsLast, meetsNext) {
        case (true, true):
            spans[index - 1].bytes += bytes + spans[index].bytes
            spans.remove(at: index)
        case (true, false): spans[index - 1].bytes += bytes
        case (false, true): (spans[index].start, spans[index].bytes) = (start, spans[index].bytes + bytes)
        case (false, false): spans.insert(Span(start: start, bytes: bytes), at: index)
        }
    }

    mutating func removeAll() { spans.removeAll(keepingCapacity: true) }

    /// The first span that begins at `address` or later.
    private func firstIndex(from address: UInt) -> Int {
        var (low, high) = (0, spans.count)
        while low < high {
            let middle = (low + high) / 2
            if spans[middle].start < address { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

import Files

/// How large a safetensors file is, told from names, types and shapes alone: to the byte what `SafetensorsWriter`
/// writes.
public struct SafetensorsSize: Sendable {
    /// Tensors in the order in which they stand in the file, by their numbers as given.
    private let order: [Int]
    /// Bytes an element, of each as given.
    private let widths: [Int]
    /// Bytes of each one's entry in the header beside the digits and commas of its shape and offsets.
    private let entries: [Int]
    /// Bytes of the header beside the entries.
    private let rest: Int

    /// - Parameters:
    ///   - tensors: their names and types.
    ///   - metadata: as the file's.
    public init(_ tensors: [(name: String, type: ElementType)], metadata: [String: String] = [:]) {
        order = tensors.indices.sorted { SafetensorsWriter.precedes(tensors[$0], tensors[$1]) }
        widths = tensors.map(\.type.byteWidth)
        entries = tensors.map { name, type in
            var serializer = JSONSerializer(style: .compact)
            serializer.append(quoting: name)
            return serializer.text.utf8.count
                + ":{\"dtype\":\"\(type.rawValue)\",\"shape\":[],\"data_offsets\":[,]}".utf8.count
        }
        rest = SafetensorsWriter.beginning(metadata: metadata).utf8.count + "}".utf8.count
    }

    /// - Parameters:
    ///   - shapes: of each tensor as given.
    ///   - isLeftOut: whether tensors without elements are no part of the file.
    /// - Returns: bytes of the file.
    public func bytes(of shapes: [[Int]], leavingOutEmpty isLeftOut: Bool = true) -> Int {
        overhead(of: shapes, leavingOutEmpty: isLeftOut)
            + zip(shapes, widths).reduce(0) { $0 + $1.0.reduce(1, *) * $1.1 }
    }

    /// - Parameters:
    ///   - shapes: of each tensor as given.
    ///   - isLeftOut: whether tensors without elements are no part of the file.
    /// - Returns: bytes of the file beside the elements.
    public func overhead(of shapes: [[Int]], leavingOutEmpty isLeftOut: Bool = true) -> Int {
        var header = rest
        var (offset, count) = (0, 0)
        for index in order {
            let elements = shapes[index].reduce(1, *)
            guard elements > 0 || !isLeftOut else { continue }
            let end = offset + elements * widths[index]
            header += entries[index] + Self.digits(offset) + Self.digits(end) + max(0, shapes[index].count - 1)
            for extent in shapes[index] { header += Self.digits(extent) }
            offset = end
            count += 1
        }
        // Commas between the entries; the header is padded to whole words after the word that says its length.
        header += max(0, count - 1) + (rest > 2 && count > 0 ? 1 : 0)
        return 8 + (header + 7) / 8 * 8
    }

    private static func digits(_ number: Int) -> Int {
        var (rest, count) = (number, 1)
        while rest >= 10 {
            rest /= 10
            count += 1
        }
        return count
    }
}

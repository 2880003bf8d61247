import Files

/// The parsed and checked header of a safetensors file.
///
/// A file is: u64 little-endian length N; N bytes of JSON {name: {dtype, shape, data_offsets: [begin, end]}, …} with
/// free text under "__metadata__"; then the data, which the tensors cover exactly, offsets counting from its start.
/// Based on: the format description and checks of huggingface/safetensors. Stricter here: the header starts with '{'
/// at once, names are not empty, and a key given twice is an error.
package struct SafetensorsHeader {
    package struct Tensor {
        package let elementType: ElementType
        package let shape: [Int]
        package let elementCount: Int
        /// Bytes from the start of the data.
        package let offset: Int
        package let byteCount: Int
    }

    package static let sizeLimit = 100_000_000
    package static let metadataKey = "__metadata__"

    package let tensors: [String: Tensor]
    package let metadata: [String: String]

    /// - Parameters:
    ///   - text: the N bytes of JSON.
    ///   - dataSize: bytes that follow them in the file.
    package init(parsing text: [UInt8], dataSize: Int, file: String) throws {
        func invalid(_ reason: String) -> SafetensorsError { .invalidFile(file: file, reason: reason) }

        guard text.first == UInt8(ascii: "{") else { throw invalid("the header does not start with '{'") }
        let document: JSONValue
        do {
            document = try JSONValue(parsing: text, limits: JSONLimits(bytes: Self.sizeLimit, depth: 16))
        } catch let error as JSONError {
            throw invalid("the header is not JSON as expected: \(error)")
        }
        var tensors: [String: Tensor] = [:]
        var metadata: [String: String] = [:]
        for (name, value) in document.sortedMembers ?? [] {
            if name == Self.metadataKey {
                metadata = try Self.metadata(value, file: file)
            } else if name.isEmpty {
                throw invalid("a tensor has an empty name")
            } else {
                do {
                    tensors[name] = try Self.tensor(value)
                } catch let defect as Defect {
                    throw SafetensorsError.invalidTensor(file: file, name: name, reason: defect.reason)
                }
            }
        }
        try Self.checkCoverage(tensors, dataSize: dataSize, file: file)
        self.tensors = tensors
        self.metadata = metadata
    }

    private struct Defect: Error {
        let reason: String
    }

    private static func metadata(_ value: JSONValue, file: String) throws -> [String: String] {
        if value.isNull { return [:] }
        guard let members = value.objectValue else {
            throw SafetensorsError.invalidFile(file: file, reason: "\(metadataKey) is \(value.kind), not an object")
        }
        return try members.mapValues { value in
            guard let text = value.stringValue else {
                throw SafetensorsError.invalidFile(
                    file: file, reason: "\(metadataKey) holds \(value.kind), not only strings")
            }
            return text
        }
    }

    private static func tensor(_ value: JSONValue) throws -> Tensor {
        guard value.objectValue != nil else { throw Defect(reason: "expected an object, got \(value.kind)") }
        guard let typeName = value["dtype"]?.stringValue else { throw Defect(reason: "'dtype' is not a string") }
        guard let elementType = ElementType(rawValue: typeName) else {
            let known = ElementType.allCases.map(\.rawValue).joined(separator: ", ")
            throw Defect(reason: "element type \(Quoted(typeName)) is not supported; supported are \(known)")
        }
        let shape = try sizes(value, "shape")
        let offsets = try sizes(value, "data_offsets")
        guard offsets.count == 2, offsets[0] <= offsets[1] else {
            throw Defect(reason: "'data_offsets' is not a begin and an end, in order")
        }
        guard let count = elementCount(of: shape), let bytes = product(count, elementType.byteWidth) else {
            throw Defect(reason: "the shape \(summary(of: shape)) has too many elements")
        }
        guard offsets[1] - offsets[0] == bytes else {
            throw Defect(
                reason: "the shape \(summary(of: shape)) of \(typeName) takes \(bytes) bytes, but 'data_offsets' span "
                    + "\(offsets[1] - offsets[0])")
        }
        return Tensor(elementType: elementType, shape: shape, elementCount: count, offset: offsets[0], byteCount: bytes)
    }

    private static func sizes(_ tensor: JSONValue, _ key: String) throws -> [Int] {
        guard let values = tensor[key]?.arrayValue else { throw Defect(reason: "'\(key)' is not an array") }
        return try values.map { value in
            guard let size = value.intValue, size >= 0 else {
                throw Defect(reason: "'\(key)' holds something other than integers from 0")
            }
            return size
        }
    }

    /// The product of the sizes (1 for a scalar), nil where it does not fit an Int.
    package static func elementCount(of shape: [Int]) -> Int? {
        var count = 1
        for size in shape {
            guard let next = product(count, size) else { return nil }
            count = next
        }
        return count
    }

    private static func product(_ a: Int, _ b: Int) -> Int? {
        let (value, overflow) = a.multipliedReportingOverflow(by: b)
        return overflow ? nil : value
    }

    private static func summary(of shape: [Int]) -> String {
        shape.count <= 16 ? "\(shape)" : "of \(shape.count) dimensions"
    }

    /// Tensors in order of offset follow one another without overlap or hole and end with the data.
    private static func checkCoverage(_ tensors: [String: Tensor], dataSize: Int, file: String) throws {
        let ordered = tensors.sorted { a, b in
            if a.value.offset != b.value.offset { return a.value.offset < b.value.offset }
            if a.value.byteCount != b.value.byteCount { return a.value.byteCount < b.value.byteCount }
            return a.key.utf8.lexicographicallyPrecedes(b.key.utf8)
        }
        var end = 0
        for (name, tensor) in ordered {
            guard tensor.offset == end else {
                let what =
                    tensor.offset < end ? "overlaps the tensor before it" : "leaves a hole after the tensor before it"
                throw SafetensorsError.invalidTensor(
                    file: file, name: name,
                    reason: "it starts at data byte \(tensor.offset) and \(what), which ends at \(end)")
            }
            // No overflow: offset + byteCount is the end that the header gives as an Int.
            end = tensor.offset + tensor.byteCount
            guard end <= dataSize else {
                throw SafetensorsError.invalidTensor(
                    file: file, name: name,
                    reason:
                        "it ends at data byte \(end), but the file holds \(dataSize) bytes of data; "
                        + "it may have been cut short"
                )
            }
        }
        guard end == dataSize else {
            throw SafetensorsError.invalidFile(
                file: file, reason: "its tensors take \(end) bytes, but the file holds \(dataSize) bytes of data")
        }
    }
}

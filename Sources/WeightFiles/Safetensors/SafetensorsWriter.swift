import Files
import Foundation

/// Writes safetensors files, byte for byte as the reference implementation does.
public enum SafetensorsWriter {
    /// Writes `tensors` to `url` atomically, whatever their order.
    ///
    /// In the file they stand as the reference puts them: wider element types first, then by name; the
    /// header is padded with spaces to a multiple of 8 bytes.
    /// - Parameters:
    ///   - tensors: in the order in which they are to lie.
    ///   - metadata: free text; diffusers expects {"format": "pt"}. Left out when empty.
    ///   - url: the file.
    /// - Throws: `SafetensorsError` for an empty, reserved or repeated name or a shape that does not fit its elements;
    ///   `StorageError` where the file cannot be written.
    public static func write(_ tensors: [NamedTensor], metadata: [String: String] = [:], to url: URL) throws {
        let ordered = tensors.sorted {
            precedes(($0.name, $0.elements.elementType), ($1.name, $1.elements.elementType))
        }
        let header = try header(ordered, metadata: metadata, file: url.path)
        try AtomicFile.write(to: url) { sink in
            try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try sink.write($0) }
            try header.withUnsafeBytes { try sink.write($0) }
            for tensor in ordered {
                try tensor.elements.withUnsafeBytes { try sink.write($0) }
            }
        }
    }

    /// Whether a tensor stands before another in a file.
    static func precedes(_ a: (name: String, type: ElementType), _ b: (name: String, type: ElementType)) -> Bool {
        if a.type != b.type { return a.type.rank > b.type.rank }
        return a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
    }

    /// The header up to its first tensor.
    static func beginning(metadata: [String: String]) -> String {
        var serializer = JSONSerializer(style: .compact)
        serializer.text = "{"
        guard !metadata.isEmpty else { return serializer.text }
        serializer.append(quoting: SafetensorsHeader.metadataKey)
        serializer.text += ":{"
        for (index, (key, value)) in metadata.sorted(by: { $0.key < $1.key }).enumerated() {
            if index > 0 { serializer.text += "," }
            serializer.append(quoting: key)
            serializer.text += ":"
            serializer.append(quoting: value)
        }
        serializer.text += "}"
        return serializer.text
    }

    private static func header(_ tensors: [NamedTensor], metadata: [String: String], file: String) throws -> [UInt8] {
        var serializer = JSONSerializer(style: .compact)
        serializer.text = beginning(metadata: metadata)
        var offset = 0
        var names: Set<String> = []
        for tensor in tensors {
            func invalid(_ reason: String) -> SafetensorsError {
                .invalidTensor(file: file, name: tensor.name, reason: reason)
            }
            guard !tensor.name.isEmpty, tensor.name != SafetensorsHeader.metadataKey else {
                throw invalid("a tensor cannot have this name")
            }
            guard names.insert(tensor.name).inserted else { throw invalid("there are two tensors of this name") }
            guard tensor.shape.allSatisfy({ $0 >= 0 }),
                SafetensorsHeader.elementCount(of: tensor.shape) == tensor.elements.count
            else { throw invalid("the shape \(tensor.shape) does not fit \(tensor.elements.count) elements") }

            let type = tensor.elements.elementType
            let end = offset + tensor.elements.count * type.byteWidth
            if serializer.text != "{" { serializer.text += "," }
            serializer.append(quoting: tensor.name)
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            serializer.text +=
                ":{\"dtype\":\"\(type.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}"
            offset = end
        }
        serializer.text += "}"
        var bytes = Array(serializer.text.utf8)
        bytes += Array(repeating: UInt8(ascii: " "), count: (8 - bytes.count % 8) % 8)
        guard bytes.count <= SafetensorsHeader.sizeLimit else {
            throw SafetensorsError.invalidFile(file: file, reason: "its header would take \(bytes.count) bytes")
        }
        return bytes
    }
}

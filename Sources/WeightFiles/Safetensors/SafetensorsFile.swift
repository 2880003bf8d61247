import Files
import Foundation

/// A safetensors file open for reading. Opening reads and checks the header; tensors are read when asked for.
public final class SafetensorsFile: WeightSource {
    public let url: URL
    public var files: [URL] { [url] }
    /// Free text that the writer left under "__metadata__".
    public let metadata: [String: String]
    /// In code-point order.
    public let names: [String]

    private let file: RegularFile
    private let tensors: [String: SafetensorsHeader.Tensor]
    private let dataStart: Int

    /// - Throws: `StorageError` where the file cannot be read,
    ///   `SafetensorsError` where it is not a valid safetensors file.
    public init(contentsOf url: URL) throws {
        let file = try RegularFile(url)
        func invalid(_ reason: String) -> SafetensorsError { .invalidFile(file: file.path, reason: reason) }

        guard file.size >= 8 else {
            throw invalid("it has \(file.size) bytes, fewer than the 8 of the header's length")
        }
        let length = try file.bytes(at: 0, count: 8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= SafetensorsHeader.sizeLimit else {
            throw invalid(
                "it begins like no such file, and may be a text (its header would have \(length) bytes; at most "
                    + "\(SafetensorsHeader.sizeLimit) are allowed)")
        }
        dataStart = 8 + Int(length)
        guard dataStart <= file.size else {
            throw invalid("it gives its header \(length) bytes, but has only \(file.size) bytes in all")
        }
        let header = try SafetensorsHeader(
            parsing: file.bytes(at: 8, count: Int(length)), dataSize: file.size - dataStart, file: file.path)
        self.url = url
        self.file = file
        tensors = header.tensors
        metadata = header.metadata
        names = header.tensors.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    public func contains(_ name: String) -> Bool { tensors[name] != nil }

    public func shape(of name: String) throws -> [Int] { try tensor(name).shape }

    public func elementType(of name: String) throws -> ElementType { try tensor(name).elementType }

    public func floats(_ name: String) throws -> [Float] {
        let tensor = try tensor(name)
        switch tensor.elementType {
        case .f32:
            return try elements(tensor, name) { $0 as Float }
        case .f64:
            return try elements(tensor, name) { Float($0 as Double) }
        case .f16:
            return try elements(tensor, name) { HalfPrecision.float(fromFloat16: $0) }
        case .bf16:
            return try elements(tensor, name) { HalfPrecision.float(fromBFloat16: $0) }
        case .i64, .i32, .i16, .i8, .u8, .bool:
            throw SafetensorsError.wrongElementType(
                file: file.path, name: name, got: tensor.elementType, expected: "floating-point numbers")
        }
    }

    public func integers(_ name: String) throws -> [Int64] {
        let tensor = try tensor(name)
        switch tensor.elementType {
        case .i64: return try elements(tensor, name) { $0 as Int64 }
        case .i32: return try elements(tensor, name) { Int64($0 as Int32) }
        case .i16: return try elements(tensor, name) { Int64($0 as Int16) }
        case .i8: return try elements(tensor, name) { Int64($0 as Int8) }
        case .u8: return try elements(tensor, name) { Int64($0 as UInt8) }
        case .bool:
            let values = try elements(tensor, name) { Int64($0 as UInt8) }
            guard values.allSatisfy({ $0 <= 1 }) else {
                throw SafetensorsError.invalidTensor(
                    file: file.path, name: name, reason: "a BOOL element is neither 0 nor 1")
            }
            return values
        case .f64, .f32, .f16, .bf16:
            throw SafetensorsError.wrongElementType(
                file: file.path, name: name, got: tensor.elementType, expected: "integers")
        }
    }

    private func tensor(_ name: String) throws -> SafetensorsHeader.Tensor {
        guard let tensor = tensors[name] else { throw SafetensorsError.noSuchTensor(file: file.path, name: name) }
        return tensor
    }

    /// Reads a tensor through a buffer of bounded size, converting each element as it is stored.
    private func elements<Stored: BitwiseCopyable, Element>(
        _ tensor: SafetensorsHeader.Tensor, _ name: String, _ convert: (Stored) -> Element
    ) throws -> [Element] {
        // A file with holes can be far larger than any memory; its shapes are then honest and still not to be had.
        let bytes = tensor.elementCount.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        guard !bytes.overflow, UInt64(bytes.partialValue) <= ProcessInfo.processInfo.physicalMemory else {
            throw SafetensorsError.invalidTensor(
                file: file.path, name: name,
                reason: "its \(tensor.elementCount) elements take more memory than this machine has")
        }
        let width = MemoryLayout<Stored>.size
        let chunk = 1 << 16
        let scratch = UnsafeMutableRawBufferPointer.allocate(
            byteCount: min(chunk, tensor.elementCount) * width, alignment: 16)
        defer { scratch.deallocate() }
        return try [Element](unsafeUninitializedCapacity: tensor.elementCount) { output, initialized in
            while initialized < tensor.elementCount {
                let count = min(chunk, tensor.elementCount - initialized)
                let part = UnsafeMutableRawBufferPointer(rebasing: scratch[..<(count * width)])
                try file.read(into: part, at: dataStart + tensor.offset + initialized * width)
                let stored = part.assumingMemoryBound(to: Stored.self)
                for index in 0..<count { output.initializeElement(at: initialized + index, to: convert(stored[index])) }
                initialized += count
            }
        }
    }
}

#if _endian(big)
    #error("safetensors files are little-endian; elements are read and written in the byte order of the host")
#endif

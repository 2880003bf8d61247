import CImagery
import Files
import Foundation

/// A file of bytes in the IDX format of MNIST, plain or gzip-compressed: 0 0 8 d, then d big-endian 32-bit sizes, then
/// the bytes, the last index fastest.
struct IDXFile {
    let sizes: [Int]
    let bytes: [UInt8]

    static let maximumBytes = 4 << 30

    /// - Parameter dimensions: how many the file must have: 3 for images, 1 for labels.
    /// - Throws: `DatasetError.unreadable`, `.broken` or `.tooLarge`.
    init(_ url: URL, dimensions: Int) throws {
        let data = try IDXFile.data(url)
        let headerLength = 4 + 4 * dimensions
        let isCompressed = data.starts(with: [0x1f, 0x8b])
        let header =
            isCompressed
            ? try IDXFile.gunzip(data, capacity: headerLength, url).bytes : Array(data.prefix(headerLength))
        guard header.count >= 4, header[0] == 0, header[1] == 0 else {
            throw DatasetError.broken(file: url.path, reason: "it does not begin with an IDX magic number")
        }
        guard header[2] == 8, header[3] == UInt8(dimensions) else {
            throw DatasetError.broken(
                file: url.path,
                reason: "the IDX magic number says type \(header[2]) with \(header[3]) dimensions; expected type 8 "
                    + "(unsigned bytes) with \(dimensions)")
        }
        guard header.count == headerLength else {
            throw DatasetError.broken(file: url.path, reason: "it ends within the IDX header")
        }
        sizes = (0..<dimensions).map { d in
            header[4 + 4 * d..<8 + 4 * d].reduce(0) { $0 << 8 | Int($1) }
        }
        let shape = sizes.map(String.init).joined(separator: "×")
        var count = 1
        for size in sizes {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard !overflow, size > 0, product <= IDXFile.maximumBytes else {
                throw DatasetError.broken(file: url.path, reason: "its header gives the shape \(shape)")
            }
            count = product
        }
        // Deflate expands a byte to at most 1032: a header that promises more is refused before memory is allocated.
        let possible = isCompressed ? data.count * 1032 : data.count
        guard headerLength + count <= possible else {
            throw IDXFile.wrongLength(
                url, shape: shape, expected: headerLength + count,
                got: isCompressed ? "fewer" : "\(data.count)")
        }
        if isCompressed {
            let (all, hasMore) = try IDXFile.gunzip(data, capacity: headerLength + count, url)
            guard !hasMore, all.count == headerLength + count else {
                throw IDXFile.wrongLength(
                    url, shape: shape, expected: headerLength + count, got: hasMore ? "more" : "\(all.count)")
            }
            bytes = Array(all.dropFirst(headerLength))
        } else {
            guard data.count == headerLength + count else {
                throw IDXFile.wrongLength(url, shape: shape, expected: headerLength + count, got: "\(data.count)")
            }
            bytes = Array(data.dropFirst(headerLength))
        }
    }

    private static func wrongLength(_ url: URL, shape: String, expected: Int, got: String) -> DatasetError {
        .broken(
            file: url.path,
            reason: "its header gives the shape \(shape), so \(expected) bytes in all; there are \(got)")
    }

    static func data(_ url: URL) throws -> Data {
        do {
            return try RegularFile.contents(of: url, limit: maximumBytes)
        } catch let error as StorageError {
            throw DatasetError.unreadable(path: url.path, reason: error.cause)
        }
    }

    /// The first `capacity` bytes of gzip data, and whether there are more.
    private static func gunzip(_ data: Data, capacity: Int, _ url: URL) throws -> (bytes: [UInt8], hasMore: Bool) {
        var message = [CChar](repeating: 0, count: Int(CIMAGERY_MESSAGE_SIZE))
        var status = CIMAGERY_OK
        let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { out, count in
            status = data.withUnsafeBytes { bytes in
                cimagery_gunzip(
                    bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, out.baseAddress, capacity, &count,
                    &message)
            }
        }
        guard status == CIMAGERY_OK || status == CIMAGERY_MORE else {
            throw DatasetError.broken(file: url.path, reason: PNG.text(message))
        }
        return (bytes, status == CIMAGERY_MORE)
    }
}

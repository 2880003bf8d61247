import Foundation

/// The size and channel count that a PNG file states at its start; the pixels are not looked at.
struct PNGHeader: Equatable {
    let width: Int
    let height: Int
    /// 1 grey, 2 grey and alpha, 3 colour or palette, 4 colour and alpha.
    let channels: Int

    /// - Parameter context: what the error calls the image.
    init(_ data: Data, context: String) throws(ReportError) {
        let bytes = [UInt8](data.prefix(33))
        let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13]
        guard bytes.count == 33, bytes.starts(with: signature), bytes[12..<16].elementsEqual("IHDR".utf8) else {
            throw .notPNG(context: context)
        }
        func number(at offset: Int) -> Int {
            bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) }
        }
        let channelsOfColourType: [UInt8: Int] = [0: 1, 2: 3, 3: 3, 4: 2, 6: 4]
        width = number(at: 16)
        height = number(at: 20)
        guard width > 0, height > 0, let channels = channelsOfColourType[bytes[25]] else {
            throw .notPNG(context: context)
        }
        self.channels = channels
    }
}

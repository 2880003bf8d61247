import Foundation
struct SafetensorsFile {
    var header: [String: (shape: [Int], range: Range<Int>, dtype: String)] = [:]
    var data: Data
    init(contentsOf url: URL) throws {
        let all = try Data(contentsOf: url)
        let n = all.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) }
        let json = try JSONSerialization.jsonObject(with: all[8..<(8 + n)]) as! [String: [String: Any]]
        for (k, v) in json where k != "__metadata__" {
            let o = v["data_offsets"] as! [Int]
            header[k] = (v["shape"] as! [Int], o[0]..<o[1], v["dtype"] as! String)
        }
        data = all[(8 + n)...]; data = Data(data)
    }
    var names: [String] { header.keys.sorted() }
    func shape(of n: String) throws -> [Int] { header[n]!.shape }
    func floats(_ n: String) throws -> [Float] {
        let h = header[n]!
        let d = Data(data[h.range])
        return d.withUnsafeBytes { raw in
            switch h.dtype {
            case "F32": Array(raw.bindMemory(to: Float.self))
            case "I64": raw.bindMemory(to: Int64.self).map { Float($0) }
            case "F16": raw.bindMemory(to: UInt16.self).map { Float(Float16(bitPattern: $0)) }
            case "BF16": raw.bindMemory(to: UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
            default: fatalError(h.dtype)
            }
        }
    }
    func integers(_ n: String) throws -> [Int64] { try floats(n).map { Int64($0) } }
}

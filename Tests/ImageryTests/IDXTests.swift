import TestSupport
import Foundation
import Testing

@testable import Imagery

struct IDXTests {
    struct Expected: Decodable {
        let pixels: [UInt8]
        let labels: [Int]
    }

    @Test func readsCompressedImagesWithTheirLabels() throws {
        let expected = try Fixtures.json("imagery/idx/expected.json", as: Expected.self)
        for path in ["idx", "idx/train-images-idx3-ubyte.gz"] {
            let dataset = try DatasetReader.open(.init(path: Fixtures.url("imagery/" + path).path))
            #expect(dataset.count == 6 && dataset.height == 4 && dataset.width == 5 && dataset.channels == 1)
            #expect(dataset.labelCount == 4)
            #expect((0..<6).map { dataset.label($0) } == expected.labels)
            #expect((0..<6).flatMap { dataset.image($0).pixels } == expected.pixels)
            var floats = [Float](repeating: .nan, count: 20)
            dataset.read(5, into: &floats)
            #expect(floats == expected.pixels[100...].map { Float($0) / 127.5 - 1 })
        }
    }

    @Test func testSplitInTwoGzipMembersWithoutLabels() throws {
        let expected = try Fixtures.json("imagery/idx/expected.json", as: Expected.self)
        let dataset = try DatasetReader.open(.init(path: Fixtures.url("imagery/idx").path, split: .test, limit: 4))
        #expect(dataset.count == 4 && dataset.labelCount == nil && dataset.label(0) == nil)
        #expect((0..<4).flatMap { dataset.image($0).pixels } == Array(expected.pixels[..<80]))
    }

    @Test func bundledFashionMNIST() throws {
        let train = try DatasetReader.open(.init(path: Repository.url("Samples/fashion-mnist").path, size: 32))
        #expect(train.count == 2000 && train.width == 32 && train.height == 32 && train.channels == 1)
        let test = try DatasetReader.open(.init(path: Repository.url("Samples/fashion-mnist").path, split: .test))
        #expect(test.count == 500 && test.width == 28 && test.labelCount == 10)
        for label in 0..<10 {
            #expect((0..<2000).filter { train.label($0) == label }.count == 200)
            #expect((0..<500).filter { test.label($0) == label }.count == 50)
        }
        // 28 → 32: two black pixels all round.
        #expect(train.image(7).pixels[..<64].allSatisfy { $0 == 0 })
    }

    @Test func headersThatLieAreErrors() throws {
        let good = file([6, 4, 5], noise(120))
        let cases: [(String, Data, String)] = [
            ("magic", Data([1]) + good.dropFirst(), "cannot tell"),
            ("type", replacing(good, 2, 0x0d), "cannot tell"),
            ("dimensions", replacing(good, 3, 1), "1 dimensions; expected type 8 (unsigned bytes) with 3"),
            ("short", good.dropLast(), "135"),
            ("long", good + [0], "137"),
            ("header", good.prefix(9), "within the IDX header"),
            ("absurd", file([.max, .max, .max], []), "4294967295×4294967295×4294967295"),
            ("large", file([60_000, 200, 200], []), "60000×200×200"),
            ("zero", file([6, 0, 5], []), "6×0×5"),
            ("nothing", Data(), "expected an IDX file"),
        ]
        try withTemporaryFolder { folder in
            for (name, data, reason) in cases {
                let url = folder.appendingPathComponent("\(name)-images-idx3-ubyte")
                try data.write(to: url)
                let text = message { _ = try DatasetReader.open(.init(path: url.path)) }
                #expect(text.contains(reason) && text.contains(url.path), "\(name): \(text)")
            }
        }
    }

    @Test func damagedGzipIsAnError() throws {
        let good = try Data(contentsOf: Fixtures.url("imagery/idx/train-images-idx3-ubyte.gz"))
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("train-images-idx3-ubyte.gz")
            func fails(_ data: Data) throws -> Bool {
                try data.write(to: url)
                return message { _ = try DatasetReader.open(.init(path: url.path)) }.contains(url.path)
            }
            let survivedCut = try (0..<good.count).filter { try !fails(good.prefix($0)) }
            #expect(survivedCut == [])
            // Flags, time, level and system (bytes 3…9) are not under the checksum.
            let survivedFlip = try (10..<good.count).filter { try !fails(replacing(good, $0, good[$0] ^ 0x41)) }
            #expect(survivedFlip == [])
            #expect(try fails(good + [1, 2, 3]))
            #expect(try fails(good + good), "a second member makes it too long")
        }
    }

    @Test func labelsMustMatchImages() throws {
        try withTemporaryFolder { folder in
            try file([6, 4, 5], noise(120)).write(to: folder.appendingPathComponent("train-images-idx3-ubyte"))
            let labels = folder.appendingPathComponent("train-labels-idx1-ubyte")
            try file([5], [0, 1, 2, 3, 4]).write(to: labels)
            let text = message { _ = try DatasetReader.open(.init(path: folder.path)) }
            #expect(text.contains(labels.path) && text.contains("5 labels for the 6 images"), "\(text)")
            try file([6], [0, 1, 2, 3, 4, 9]).write(to: labels)
            #expect(try DatasetReader.open(.init(path: folder.path)).labelCount == 10)
            #expect(
                message { _ = try DatasetReader.open(.init(path: folder.path, split: .test)) }.contains("no test split")
            )
        }
    }

    private func replacing(_ data: Data, _ position: Int, _ value: UInt8) -> Data {
        var data = Data(data)
        data[position] = value
        return data
    }

    private func file(_ sizes: [UInt32], _ bytes: [UInt8]) -> Data {
        var data = Data([0, 0, 8, UInt8(sizes.count)])
        for size in sizes { withUnsafeBytes(of: size.bigEndian) { data.append(contentsOf: $0) } }
        return data + bytes
    }
}

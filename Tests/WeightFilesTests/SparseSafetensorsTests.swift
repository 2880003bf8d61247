import Foundation
import TestSupport
import Testing
import WeightFiles

@Suite struct SparseSafetensorsTests {
    private let tensors = [
        NamedTensor("dense", shape: [2, 3], floats: [1, 2, 3, 4, 5, 6]),
        NamedTensor("sparse", shape: [3, 7], floats: (0..<21).map { $0 % 6 == 0 ? Float($0) + 0.5 : 0 }),
        NamedTensor("empty", shape: [5, 8], floats: [Float](repeating: 0, count: 40)),
        NamedTensor("count", shape: [1], integers: [7]),
    ]

    @Test func whatIsReadIsWhatWasWritten() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("x.safetensors")
            try SparseSafetensors.write(tensors, to: url)
            let file = try SparseSafetensors(contentsOf: url)
            #expect(file.names == ["count", "dense", "empty", "sparse"])
            for tensor in tensors {
                #expect(try file.shape(of: tensor.name) == tensor.shape)
                if case .floats(let values) = tensor.elements { #expect(try file.floats(tensor.name) == values) }
            }
            #expect(try file.integers("count") == [7])
            // Only what becomes smaller is stored by bitmap: bit i of byte i / 8, the lowest first.
            let stored = try SafetensorsFile(contentsOf: url)
            #expect(stored.contains("dense") && !stored.contains("sparse"))
            #expect(try stored.integers("sparse.bitmap") == [0b0100_0001, 0b0001_0000, 0b0000_0100])
            #expect(try stored.floats("sparse.values") == [0.5, 6.5, 12.5, 18.5])
            #expect(throws: SafetensorsError.self) { try file.floats("sparse.values") }
        }
    }

    /// Halves have a compact form of halves.
    @Test(arguments: [ElementType.f16, .bf16]) func narrowNumbersStayNarrow(type: ElementType) throws {
        let floats: [Float] = (0..<64).map { $0 % 8 == 3 ? Float($0) / 4 : -0.0 }
        let tensor = try #require(NamedTensor("t", shape: [8, 8], floats: floats, storedAs: type))
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("x.safetensors")
            try SparseSafetensors.write([tensor], to: url)
            let (file, stored) = (try SparseSafetensors(contentsOf: url), try SafetensorsFile(contentsOf: url))
            #expect(try file.floats("t") == floats && file.elementType(of: "t") == type)
            #expect(try stored.elementType(of: "t.values") == type && stored.shape(of: "t.values") == [8])
        }
    }

    /// What does not fit together is refused, on opening or on reading,
    /// and claims no more memory than the file can hold.
    @Test func partsThatDoNotFitAreRefused() throws {
        func parts(bitmap: [UInt8] = [0b101], values: [Float] = [1, 2], shape: [Int64] = [4]) -> [NamedTensor] {
            [
                NamedTensor("a.bitmap", shape: [bitmap.count], bytes: bitmap),
                NamedTensor("a.values", shape: [values.count], floats: values),
                NamedTensor("a.shape", shape: [shape.count], integers: shape),
            ]
        }
        let metadata = ["format": "diffprune-sparse", "version": "1"]
        func reads(_ tensors: [NamedTensor], _ metadata: [String: String]) throws -> [Float] {
            try withTemporaryFolder { folder in
                let url = folder.appendingPathComponent("x.safetensors")
                try SafetensorsWriter.write(tensors, metadata: metadata, to: url)
                return try SparseSafetensors(contentsOf: url).floats("a")
            }
        }
        #expect(try reads(parts(), metadata) == [1, 0, 2, 0])
        let bad: [[NamedTensor]] = [
            parts(shape: [9]), parts(shape: [-4]), parts(shape: [1 << 40, 1 << 40]), parts(values: [1]),
            parts(values: [1, 2, 3]), parts(bitmap: [0b1001_0001]), Array(parts()[..<2]), [parts()[0]],
            parts() + [NamedTensor("a", shape: [1], floats: [1])],
        ]
        for tensors in bad { #expect(throws: SafetensorsError.self) { _ = try reads(tensors, metadata) } }
        #expect(throws: SafetensorsError.self) { _ = try reads(parts(), ["format": "pt"]) }
        #expect(throws: SafetensorsError.self) {
            _ = try reads(parts(), ["format": "diffprune-sparse", "version": "2"])
        }
    }

    @Test func aMutilatedFileNeverTraps() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("x.safetensors")
            try SparseSafetensors.write(tensors, to: url)
            let bytes = [UInt8](try Data(contentsOf: url))
            var (loaded, refused) = (0, 0)
            for index in bytes.indices {
                for change: UInt8 in [0x01, 0x10, 0x80] {
                    var changed = bytes
                    changed[index] ^= change
                    try Data(changed).write(to: url)
                    do {
                        let file = try SparseSafetensors(contentsOf: url)
                        for name in file.names where try file.elementType(of: name).isFloatingPoint {
                            _ = try file.floats(name)
                        }
                        loaded += 1
                    } catch is SafetensorsError {
                        refused += 1
                    }
                }
            }
            #expect(loaded > 50 && refused > 500)
        }
    }
}

import Files
import Foundation
import TestSupport
import Testing
import WeightFiles

@Suite struct SafetensorsSizeTests {
    /// Extents with more and fewer digits, a scalar, names that JSON escapes, several types.
    private static let tensors = [
        NamedTensor("b", shape: [3, 7], floats: [Float](repeating: 1, count: 21)),
        NamedTensor("a.\"weight\"", shape: [120], floats: [Float](repeating: 2, count: 120)),
        NamedTensor("one", shape: [], floats: [1]), NamedTensor("n", shape: [2], integers: [1, 2]),
        NamedTensor("bits", shape: [5], bytes: [1, 2, 3, 4, 5]),
    ]

    @Test(arguments: [0, 1, 3, 5], [[:], ["format": "pt"], ["b": "x", "a": "y"]] as [[String: String]])
    func itIsThatOfTheFileThatIsWritten(count: Int, metadata: [String: String]) throws {
        let tensors = Array(Self.tensors.prefix(count))
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("x.safetensors")
            try SafetensorsWriter.write(tensors, metadata: metadata, to: url)
            let size = SafetensorsSize(tensors.map { ($0.name, $0.elements.elementType) }, metadata: metadata)
            #expect(size.bytes(of: tensors.map(\.shape)) == (try Data(contentsOf: url).count))
        }
    }

    @Test func tensorsWithoutElementsCountWhereTheyAreWritten() throws {
        let tensors = [Self.tensors[0], NamedTensor("none", shape: [0, 4], floats: [])]
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("x.safetensors")
            let size = SafetensorsSize(tensors.map { ($0.name, .f32) })
            try SafetensorsWriter.write(tensors, to: url)
            #expect(size.bytes(of: tensors.map(\.shape), leavingOutEmpty: false) == (try Data(contentsOf: url).count))
            try SafetensorsWriter.write([tensors[0]], to: url)
            #expect(size.bytes(of: tensors.map(\.shape)) == (try Data(contentsOf: url).count))
        }
    }

    @Test(arguments: [0, 1, 5, 64]) func theCompactFormsSizeFollowsFromWhatIsNotZero(nonzero: Int) throws {
        let sparse = (0..<64).map { $0 < nonzero ? Float($0 + 1) : 0 }
        let tensors = [NamedTensor("t", shape: [8, 8], floats: sparse), Self.tensors[0]]
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("x.safetensors")
            try SparseSafetensors.write(tensors, to: url)
            let bytes = SparseSafetensors.bytes(of: [("t", .f32, [8, 8], nonzero), ("b", .f32, [3, 7], 21)])
            #expect(bytes == (try Data(contentsOf: url).count))
        }
    }
}

import Foundation
import TestSupport
import Testing
import WeightFiles

@Suite struct SafetensorsTests {
    @Test func everyElementTypeReads() throws {
        let file = try SafetensorsFile(contentsOf: Fixtures.url("storage/all_types.safetensors"))
        #expect(
            file.names == ["bf16", "bool", "empty", "f16", "f32", "f64", "i16", "i32", "i64", "i8", "scalar", "u8"])
        #expect(file.metadata == ["note": "naïve \"test\""])
        #expect(try file.floats("f64") == [Float(0.1), -.infinity, 1.5])
        // By bit pattern, since == does not see the sign of zero.
        let f32: [Float] = [1.5, -0.0, .leastNonzeroMagnitude, 3.4e38]
        #expect(try file.floats("f32").map(\.bitPattern) == f32.map(\.bitPattern))
        let f16: [Float] = [0, -0.0, 0x1p-24, -1023 * 0x1p-24, 1, 65504, -.infinity]
        #expect(try file.floats("f16").dropLast().map(\.bitPattern) == f16.map(\.bitPattern))
        #expect(try file.floats("f16").last?.isNaN == true)
        let bf16: [Float] = [1, -3.140625, Float(bitPattern: 0x0001_0000), .infinity, -.infinity]
        #expect(try file.floats("bf16").dropLast() == bf16[...])
        #expect(try file.floats("bf16").last?.isNaN == true)
        #expect(try file.integers("i64") == [.min, .max])
        #expect(try file.integers("i32") == [Int64(Int32.min), Int64(Int32.max)])
        #expect(try file.integers("i16") == [Int64(Int16.min), Int64(Int16.max)])
        #expect(try file.integers("i8") == [-128, 0, 127])
        #expect(try file.integers("u8") == [0, 255])
        #expect(try file.integers("bool") == [1, 0, 1])
        #expect(try file.shape(of: "scalar") == [])
        #expect(try file.floats("scalar") == [2.25])
        #expect(try file.shape(of: "empty") == [0, 7])
        #expect(try file.floats("empty") == [])
        for name in file.names where name != "scalar" && name != "empty" {
            #expect(try file.elementType(of: name).rawValue == name.uppercased())
        }
    }

    @Test func requestsThatCannotBeMet() throws {
        let url = Fixtures.url("storage/all_types.safetensors")
        let file = try SafetensorsFile(contentsOf: url)
        #expect(!file.contains("nope"))
        #expect(
            error(SafetensorsError.self) { _ = try file.floats("nope") } == .noSuchTensor(file: url.path, name: "nope"))
        #expect(
            error(SafetensorsError.self) { _ = try file.floats("i64") }
                == .wrongElementType(file: url.path, name: "i64", got: .i64, expected: "floating-point numbers"))
        #expect(
            error(SafetensorsError.self) { _ = try file.integers("f32") }
                == .wrongElementType(file: url.path, name: "f32", got: .f32, expected: "integers"))
    }

    #if !(os(macOS) && arch(x86_64))
        @Test func everyFloat16IsExact() {
            for bits in UInt16.min...UInt16.max {
                let expected = Float(Float16(bitPattern: bits))
                let got = HalfPrecision.float(fromFloat16: bits)
                let same = expected.isNaN ? got.isNaN : got.bitPattern == expected.bitPattern
                if !same { Issue.record("0x\(String(bits, radix: 16)): \(got), not \(expected)") }
            }
        }
    #endif

    /// Every pattern comes back, and what lies between two goes to the nearer one, halfway to the even one.
    @Test func narrowingRoundsToNearest() {
        for bits in UInt16.min...UInt16.max {
            let (half, brain) = (HalfPrecision.float(fromFloat16: bits), HalfPrecision.float(fromBFloat16: bits))
            #expect(HalfPrecision.float16(half) == bits && HalfPrecision.bfloat16(brain) == bits, "\(bits)")
        }
        for bits in UInt16(0)..<0x7BFF {
            let (low, high) = (HalfPrecision.float(fromFloat16: bits), HalfPrecision.float(fromFloat16: bits + 1))
            let middle = low + (high - low) / 2
            let even = bits % 2 == 0 ? bits : bits + 1
            #expect(HalfPrecision.float16(middle.nextDown) == bits && HalfPrecision.float16(middle.nextUp) == bits + 1)
            #expect(HalfPrecision.float16(middle) == even && HalfPrecision.float16(-middle) == even | 0x8000)
        }
        for bits in stride(from: UInt16(0), to: 0x7F7F, by: 7) {
            let low = HalfPrecision.float(fromBFloat16: bits)
            let middle = Float(bitPattern: low.bitPattern + 0x8000)
            #expect(
                HalfPrecision.bfloat16(middle.nextDown) == bits && HalfPrecision.bfloat16(middle.nextUp) == bits + 1)
            #expect(HalfPrecision.bfloat16(middle) == (bits % 2 == 0 ? bits : bits + 1))
        }
        #expect(HalfPrecision.float16(65519.996) == 0x7BFF && HalfPrecision.float16(65520) == 0x7C00)
        #expect(HalfPrecision.float16(-.infinity) == 0xFC00 && HalfPrecision.bfloat16(.infinity) == 0x7F80)
        #expect(HalfPrecision.float16(Float(bitPattern: 0x7F80_0001)) & 0x7FFF > 0x7C00)
        #expect(HalfPrecision.bfloat16(Float(bitPattern: 0x7F80_0001)) & 0x7FFF > 0x7F80)
    }

    @Test func whatATypeCannotHoldIsNotStoredAsIt() throws {
        func stored(_ values: [Float], _ type: ElementType) -> NamedTensor? {
            NamedTensor("t", shape: [values.count], floats: values, storedAs: type)
        }
        #expect(stored([65520], .f16) == nil && stored([-1e30], .f16) == nil && stored([3.4e38], .bf16) == nil)
        #expect(stored([1], .f64) == nil && stored([1], .i64) == nil)
        // What is not finite stays so.
        #expect(stored([.infinity, -.infinity], .f16)?.elements == .float16([0x7C00, 0xFC00]))
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("t.safetensors")
            for (type, expected) in [(ElementType.f16, Float(0.33325195)), (.bf16, 0.33398438), (.f32, 0.33333334)] {
                try SafetensorsWriter.write([try #require(stored([1 / 3, 65504], type))], to: url)
                let file = try SafetensorsFile(contentsOf: url)
                #expect(try file.elementType(of: "t") == type && file.floats("t")[0] == expected)
            }
        }
    }

    @Test func longTensorsPassThroughTheBuffer() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("long.safetensors")
            let floats = (0..<200_001).map { Float($0) / 7 }
            let integers = (0..<70_000).map { Int64($0) * 1_000_003 }
            try SafetensorsWriter.write(
                [
                    NamedTensor("f", shape: [3, 66667], floats: floats),
                    NamedTensor("i", shape: [70_000], integers: integers),
                ], to: url)
            let file = try SafetensorsFile(contentsOf: url)
            #expect(try file.floats("f") == floats)
            #expect(try file.integers("i") == integers)
            #expect(file.metadata == [:])
        }
    }

    @Test func aWrittenFileIsTheReferencesToTheByte() throws {
        let tensors = [
            NamedTensor("conv.bias", shape: [3], floats: [1e-7, -3.25, 65504]),
            NamedTensor("labels", shape: [3], integers: [3, -1, 1 << 62]),
            NamedTensor("übung\"\\\u{7F}", shape: [0], floats: []),
            NamedTensor("conv.weight", shape: [3, 2, 2], floats: (0..<12).map { Float($0) / 8 - 0.5 }),
            NamedTensor("a.counter", shape: [1], integers: [7]),
        ]
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("golden.safetensors")
            let golden = try Data(contentsOf: Fixtures.url("storage/golden.safetensors"))
            for order in [tensors, tensors.reversed()] {
                try SafetensorsWriter.write(order, metadata: ["format": "pt"], to: url)
                #expect(try Data(contentsOf: url) == golden)
            }
            #expect(try contents(folder) == ["golden.safetensors"])
            let file = try SafetensorsFile(contentsOf: url)
            #expect(file.names == tensors.map(\.name).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
            for tensor in tensors {
                #expect(try file.shape(of: tensor.name) == tensor.shape)
                switch tensor.elements {
                case .floats(let values): #expect(try file.floats(tensor.name) == values)
                case .float16, .bfloat16: Issue.record("\(tensor.name) is of neither type")
                case .integers(let values): #expect(try file.integers(tensor.name) == values)
                case .bytes(let values): #expect(try file.integers(tensor.name) == values.map(Int64.init))
                }
            }
        }
    }

    @Test func tensorsThatCannotBeWritten() throws {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("x.safetensors")
            let bad: [[NamedTensor]] = [
                [NamedTensor("", shape: [1], floats: [1])],
                [NamedTensor("__metadata__", shape: [1], floats: [1])],
                [NamedTensor("a", shape: [2], floats: [1])],
                [NamedTensor("a", shape: [-1, -1], floats: [1])],
                [NamedTensor("a", shape: [.max, 2], floats: [1])],
                [NamedTensor("a", shape: [1], floats: [1]), NamedTensor("a", shape: [1], integers: [1])],
            ]
            for tensors in bad {
                let got = error(SafetensorsError.self) { try SafetensorsWriter.write(tensors, to: url) }
                #expect(
                    got.map(String.init(describing:))?.hasPrefix("\(url.path): tensor '\(tensors[0].name)'") == true)
            }
            let left = try contents(folder)
            #expect(left == [])
        }
    }
}

import Export
import Files
import Foundation
import ModelFolders
import Models
import TestSupport
import Testing

/// The ONNX files that models become, looked into; `make test-python` runs them.
@Suite struct ONNXFileTests {
    private static let unets = ((try? contents(Fixtures.url("unet"))) ?? []).filter {
        FileManager.default.fileExists(atPath: Fixtures.url("unet/\($0)/model_index.json").path)
    }

    @Test(arguments: unets) func everyModelIsAWellFormedGraph(name: String) throws {
        let model = try PipelineFolder(Fixtures.url("unet/\(name)")).load().model
        try Self.expectWellFormed(model)
    }

    /// Odd channels gone: unequal groups and heads.
    @Test(arguments: unets) func everyPrunedModelIsAWellFormedGraph(name: String) throws {
        let dense = try PipelineFolder(Fixtures.url("unet/\(name)")).load().model
        var kept: [String: [Int]] = [:]
        for group in dense.channelGroups { kept[group.name] = group.kept.filter { $0 % 3 != 1 } }
        let model = try dense.rebuilt(keeping: kept)
        model.initialize(seed: 1)
        try Self.expectWellFormed(model)
    }

    /// Blocks without inner channels are their shortcuts.
    @Test func removedBlocksLeaveNoOperators() throws {
        let dense = try PipelineFolder(Fixtures.url("unet/plain")).load().model
        var kept: [String: [Int]] = [:]
        for group in dense.channelGroups where group.isRemovable { kept[group.name] = [] }
        let model = try dense.rebuilt(keeping: kept)
        model.initialize(seed: 1)
        let operators = try Self.expectWellFormed(model)
        #expect(operators["Softmax"] == nil)
        // conv_in, conv_out, a resampling one each way and the shortcuts.
        let shortcuts = model.parameters.filter { $0.name.hasSuffix("conv_shortcut.weight") }.count
        #expect(operators["Conv"] == 4 + shortcuts)
    }

    @Test func theFileSaysWhatItIs() throws {
        try withTemporaryFolder { folder in
            let model = try PipelineFolder(Fixtures.url("unet/class-embedding")).load().model
            let url = folder.appendingPathComponent("model.onnx")
            try ONNXFile.write(model, metadata: [("key", "value")], to: url)
            let file = try Message(Data(contentsOf: url))
            #expect(file.numbers(1) == [8])
            #expect(file.messages(8).map { $0.numbers(2) } == [[17]])
            #expect(file.messages(14).map { $0.strings(1) + $0.strings(2) } == [["key", "value"]])
            let graph = try #require(file.messages(7).first)
            #expect(graph.messages(11).map { $0.strings(1) } == [["sample"], ["timestep"], ["class_labels"]])
            #expect(graph.messages(12).map { $0.strings(1) } == [["prediction"]])
        }
    }

    /// Every name is made once, before it is read; every weight has as many bytes as its shape says.
    ///
    /// - Returns: how often each operator is there.
    @discardableResult
    private static func expectWellFormed(_ model: UNet) throws -> [String: Int] {
        try withTemporaryFolder { folder in
            let url = folder.appendingPathComponent("model.onnx")
            try ONNXFile.write(model, to: url)
            let graph = try #require(try Message(Data(contentsOf: url)).messages(7).first)
            var known: Set<String> = [""]
            for initializer in graph.messages(5) {
                let name = try #require(initializer.strings(8).first)
                #expect(known.insert(name).inserted, "\(name) is there twice")
                let width = initializer.numbers(2) == [7] ? 8 : 4
                #expect(initializer.bytes(9).first?.count == initializer.numbers(1).reduce(width, *), "\(name)")
            }
            for input in graph.messages(11) { known.formUnion(input.strings(1)) }
            var operators: [String: Int] = [:]
            for node in graph.messages(1) {
                for input in node.strings(1) { #expect(known.contains(input), "\(input) is read before it is made") }
                for output in node.strings(2) { #expect(known.insert(output).inserted, "\(output) is made twice") }
                operators[try #require(node.strings(4).first), default: 0] += 1
            }
            #expect(known.isSuperset(of: graph.messages(12).flatMap { $0.strings(1) }))
            return operators
        }
    }
}

/// The fields of one protocol-buffer message by number.
private struct Message {
    private let fields: [(number: Int, field: ProtobufField)]

    init(_ data: Data) { fields = ProtobufField.list(data) }

    func messages(_ number: Int) -> [Message] { bytes(number).map(Message.init) }

    func strings(_ number: Int) -> [String] { bytes(number).map { String(decoding: $0, as: UTF8.self) } }

    func numbers(_ number: Int) -> [Int] {
        fields.compactMap {
            if $0.number == number, case .varint(let value) = $0.field { Int(Int64(bitPattern: value)) } else { nil }
        }
    }

    func bytes(_ number: Int) -> [Data] {
        fields.compactMap { if $0.number == number, case .bytes(let data) = $0.field { data } else { nil } }
    }
}

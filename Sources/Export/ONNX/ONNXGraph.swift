import Files
import Foundation

/// A computation in the Open Neural Network Exchange format, built node by node: opset 17, single precision.
///
/// Based on: the ONNX intermediate representation, `onnx.proto` (field numbers) and `Operators.md` (operators).
struct ONNXGraph {
    /// A tensor of the graph, by its name.
    struct Value {
        let name: String
    }

    enum ElementType: Int64 {
        case float = 1
        case int64 = 7
    }

    enum Attribute {
        case int(Int), ints([Int]), float(Float), text(String)
    }

    static let opset: Int64 = 17
    /// The version of the format that came with the opset.
    private static let irVersion: Int64 = 8
    /// Names what a batch's size is called where it is left open.
    static let batch = "batch"

    private var nodes: [ProtobufMessage] = []
    private var initializers: [ProtobufMessage] = []
    private var inputs: [ProtobufMessage] = []
    private var outputs: [ProtobufMessage] = []
    private var count = 0
    /// Constants that are there already, by what they hold.
    private var constants: [String: Value] = [:]

    // MARK: values

    /// - Parameter shape: nil for the batch's size.
    mutating func input(_ name: String, _ type: ElementType, shape: [Int?]) -> Value {
        inputs.append(Self.information(name, type, shape))
        return Value(name: name)
    }

    mutating func output(_ value: Value, named name: String, shape: [Int?]) {
        node("Identity", [value], into: Value(name: name))
        outputs.append(Self.information(name, .float, shape))
    }

    /// A tensor with a name of its own: a weight.
    mutating func weight(_ name: String, _ values: [Float], shape: [Int]) -> Value {
        var data = Data(capacity: 4 * values.count)
        for value in values { data.appendLittleEndian(value.bitPattern) }
        initialize(name, .float, data, shape)
        return Value(name: name)
    }

    mutating func constant(_ values: [Float], shape: [Int]) -> Value {
        let key = "\(shape) \(values.map(\.bitPattern))"
        if let known = constants[key] { return known }
        let value = weight(newName("constant"), values, shape: shape)
        constants[key] = value
        return value
    }

    mutating func constant(_ value: Float) -> Value { constant([value], shape: []) }

    mutating func constant(_ values: [Int]) -> Value {
        let key = "\(values)"
        if let known = constants[key] { return known }
        var data = Data()
        for value in values { data.appendLittleEndian(Int64(value)) }
        let name = newName("constant")
        initialize(name, .int64, data, [values.count])
        constants[key] = Value(name: name)
        return Value(name: name)
    }

    // MARK: nodes

    /// The result of one operator.
    mutating func apply(
        _ operation: String, _ inputs: Value..., attributes: [(String, Attribute)] = []
    ) -> Value {
        let result = Value(name: newName(operation.lowercased()))
        node(operation, inputs, into: result, attributes)
        return result
    }

    mutating func concatenated(_ parts: [Value], axis: Int) -> Value {
        guard parts.count > 1 else { return parts[0] }
        let result = Value(name: newName("concat"))
        node("Concat", parts, into: result, [("axis", .int(axis))])
        return result
    }

    /// - Parameter shape: 0 keeps a size, −1 is what is left.
    mutating func reshaped(_ value: Value, _ shape: [Int]) -> Value {
        apply("Reshape", value, constant(shape))
    }

    mutating func transposed(_ value: Value, _ order: [Int]) -> Value {
        apply("Transpose", value, attributes: [("perm", .ints(order))])
    }

    private mutating func node(
        _ operation: String, _ inputs: [Value], into result: Value, _ attributes: [(String, Attribute)] = []
    ) {
        var message = ProtobufMessage()
        for input in inputs { message.append(field: 1, string: input.name) }
        message.append(field: 2, string: result.name)
        message.append(field: 3, string: result.name)
        message.append(field: 4, string: operation)
        for (name, attribute) in attributes {
            message.append(field: 5, message: Self.encoded(name, attribute))
        }
        nodes.append(message)
    }

    private mutating func newName(_ stem: String) -> String {
        count += 1
        return "\(stem)_\(count)"
    }

    private mutating func initialize(_ name: String, _ type: ElementType, _ data: Data, _ shape: [Int]) {
        var message = ProtobufMessage()
        for size in shape { message.append(field: 1, varint: Int64(size)) }
        message.append(field: 2, varint: type.rawValue)
        message.append(field: 8, string: name)
        message.append(field: 9, bytes: data)
        initializers.append(message)
    }

    // MARK: encoding

    /// The file's bytes.
    ///
    /// - Parameter metadata: written as `metadata_props`.
    /// - Throws: `ExportError.tooLarge`: a protocol buffer holds two gibibytes.
    func model(named name: String, metadata: [(String, String)]) throws -> Data {
        var graph = ProtobufMessage()
        for node in nodes { graph.append(field: 1, message: node) }
        graph.append(field: 2, string: name)
        for initializer in initializers { graph.append(field: 5, message: initializer) }
        for input in inputs { graph.append(field: 11, message: input) }
        for output in outputs { graph.append(field: 12, message: output) }

        var opset = ProtobufMessage()
        opset.append(field: 2, varint: Self.opset)
        var model = ProtobufMessage()
        model.append(field: 1, varint: Self.irVersion)
        model.append(field: 2, string: "diffprune")
        model.append(field: 7, message: graph)
        model.append(field: 8, message: opset)
        for (key, value) in metadata {
            var entry = ProtobufMessage()
            entry.append(field: 1, string: key)
            entry.append(field: 2, string: value)
            model.append(field: 14, message: entry)
        }
        guard model.data.count < 1 << 31 else { throw ExportError.tooLarge(bytes: model.data.count) }
        return model.data
    }

    private static func encoded(_ name: String, _ attribute: Attribute) -> ProtobufMessage {
        var message = ProtobufMessage()
        message.append(field: 1, string: name)
        let type: Int64
        switch attribute {
        case .float(let value):
            message.append(field: 2, float: value)
            type = 1
        case .int(let value):
            message.append(field: 3, varint: Int64(value))
            type = 2
        case .text(let value):
            message.append(field: 4, string: value)
            type = 3
        case .ints(let values):
            for value in values { message.append(field: 8, varint: Int64(value)) }
            type = 7
        }
        message.append(field: 20, varint: type)
        return message
    }

    private static func information(_ name: String, _ type: ElementType, _ shape: [Int?]) -> ProtobufMessage {
        var sizes = ProtobufMessage()
        for size in shape {
            var dimension = ProtobufMessage()
            if let size {
                dimension.append(field: 1, varint: Int64(size))
            } else {
                dimension.append(field: 2, string: batch)
            }
            sizes.append(field: 1, message: dimension)
        }
        var tensor = ProtobufMessage()
        tensor.append(field: 1, varint: type.rawValue)
        tensor.append(field: 2, message: sizes)
        var kind = ProtobufMessage()
        kind.append(field: 1, message: tensor)
        var message = ProtobufMessage()
        message.append(field: 1, string: name)
        message.append(field: 2, message: kind)
        return message
    }
}

import Layers
import WeightFiles

/// The element types that a model's weights have in files. Computing is in float32 whatever they are.
public struct WeightTypes: Equatable, Sendable {
    /// Of all weights that are no exceptions: F32, F16 or BF16.
    public private(set) var common: ElementType
    /// By tensor.
    private var exceptions: [String: ElementType] = [:]

    public static let float32 = WeightTypes(.f32)

    private static let names: KeyValuePairs<String, ElementType> = [
        "float32": .f32, "float16": .f16, "bfloat16": .bf16,
    ]

    /// The types that weights are written in, by PyTorch's names.
    public static var allNames: [String] { names.map(\.key) }

    /// One type for all weights; what is not written (F64) becomes F32.
    public init(_ type: ElementType) { common = Self.written(type) }

    /// One type for all weights, by PyTorch's name; nil for one that they are not written in.
    public init?(named name: String) {
        guard let type = Self.names.first(where: { $0.key == name })?.value else { return nil }
        common = type
    }

    /// As they stand in a file; the commonest is taken for those that are not there.
    init(_ types: [String: ElementType]) {
        let written = types.mapValues(Self.written)
        let counts = Dictionary(grouping: written.values, by: \.self).mapValues(\.count)
        let common = Self.names.map(\.value).max { counts[$0, default: 0] < counts[$1, default: 0] } ?? .f32
        self.common = common
        exceptions = written.filter { $0.value != common }
    }

    private static func written(_ type: ElementType) -> ElementType {
        names.contains { $0.value == type } ? type : .f32
    }

    subscript(name: String) -> ElementType { exceptions[name] ?? common }

    /// The commonest, by PyTorch's name.
    public var name: String { Self.names.first { $0.value == common }?.key ?? common.rawValue }

    /// For people: "float16", or "float16, 12 tensors otherwise".
    public var summary: String {
        guard !exceptions.isEmpty else { return name }
        return "\(name), \(exceptions.count) \(exceptions.count == 1 ? "tensor" : "tensors") otherwise"
    }
}

import Files
import Layers
import WeightFiles

/// What reading a model's weights told beside their values.
public struct LoadedWeights {
    public var types = WeightTypes.float32
    /// One sentence for each oddity that was overlooked.
    public var notes: [String] = []
}

extension WeightSource {
    /// Reads the values of every parameter; there has to be a tensor of its name and file shape, all finite, and no
    /// other tensor. Parameters without elements need none. Of a linear layer `[out, in, 1, 1]` is read too. What all
    /// names begin with, as PyTorch's wrappers of modules have them, is left out of them.
    ///
    /// - Parameters:
    ///   - parameters: the network's.
    ///   - isRecorded: whether their widths are those that a record of pruning gives.
    ///   - current: what a parameter is called today that goes by this name in the file.
    ///   - ignored: names, without what all begin with, of tensors that are passed over.
    /// - Throws: `ModelFolderError` that names the first tensor that does not fit; what reading throws.
    @discardableResult
    public func load(
        into parameters: [Parameter], isRecorded: Bool = false, renaming current: (String) -> String = { $0 },
        ignoring ignored: (String) -> Bool = { _ in false }
    ) throws -> LoadedWeights {
        let tensors = TensorNames(self, of: parameters.map(\.name), renaming: current, ignoring: ignored)
        try tensors.checkShapes(of: parameters, isRecorded: isRecorded)
        var types: [String: ElementType] = [:]
        for parameter in parameters {
            guard let name = tensors[parameter.name] else { continue }
            let values = try floats(name)
            guard values.allSatisfy(\.isFinite) else { throw ModelFolderError.notFinite(path: url.path, name: name) }
            if parameter.count > 0 { parameter.load(fileValues: values) }
            types[parameter.name] = try elementType(of: name)
        }
        return LoadedWeights(types: WeightTypes(types), notes: tensors.notes)
    }
}

/// Which tensor of a file is which of a model's.
private struct TensorNames {
    private let source: any WeightSource
    /// Names in the file by those of the model.
    private var actual: [String: String] = [:]
    /// What all names of the file begin with and the model's do not.
    private let wrapper: String

    /// What PyTorch's `AveragedModel` counts beside the weights.
    private static let counters: Set<String> = ["n_averaged"]

    /// - Parameters:
    ///   - source: the file.
    ///   - expected: the model's names.
    ///   - current: today's name of a tensor. An old name beside today's for the same tensor stands for itself.
    ///   - ignored: names of tensors that are passed over.
    init(
        _ source: any WeightSource, of expected: [String], renaming current: (String) -> String,
        ignoring ignored: (String) -> Bool
    ) {
        self.source = source
        let names = source.names.filter { !Self.counters.contains($0) }
        let wrapper = Self.wrapper(of: names, around: Set(expected), current)
        self.wrapper = wrapper
        let plain = (wrapper.isEmpty ? source.names : names).map {
            ($0, String(decoding: $0.utf8.dropFirst(wrapper.utf8.count), as: UTF8.self))
        }
        for (name, bare) in plain where current(bare) == bare && !ignored(bare) { actual[bare] = name }
        for (name, bare) in plain where current(bare) != bare && !ignored(bare) {
            actual[actual[current(bare)] == nil ? current(bare) : bare] = name
        }
    }

    private static func wrapper(
        of names: [String], around expected: Set<String>, _ current: (String) -> String
    ) -> String {
        // In order, so what the first and the last have in common all have.
        guard let first = names.first, let last = names.last, names.count > 1, isPlausible(first) else { return "" }
        var common = Array(zip(first.utf8, last.utf8).prefix { $0 == $1 }.map(\.0))
        while let dot = common.lastIndex(of: UInt8(ascii: ".")) {
            let rest = String(decoding: first.utf8.dropFirst(dot + 1), as: UTF8.self)
            if expected.contains(current(rest)), !expected.contains(current(first)) {
                return String(decoding: common[...dot], as: UTF8.self)
            }
            common.removeLast(common.count - dot)
        }
        return ""
    }

    /// Whether a name is of a length that it is worth looking into; a hostile one may be as long as its file.
    private static func isPlausible(_ name: String) -> Bool { name.utf8.count <= 1000 }

    subscript(name: String) -> String? { actual[name] }

    var notes: [String] {
        guard !wrapper.isEmpty else { return [] }
        return ["\(source.url.path): all names begin with \(Quoted(wrapper)), which was left out"]
    }

    // MARK: checks

    /// - Throws: `ModelFolderError` for the first tensor that is missing, in excess or of another shape.
    func checkShapes(of parameters: [Parameter], isRecorded: Bool) throws {
        let path = source.url.path
        let missing = parameters.filter { $0.count > 0 && actual[$0.name] == nil }
        let expected = Set(parameters.map(\.name))
        let extra = actual.keys.filter { !expected.contains($0) }.sorted()
        if let hint = mixture(extra, expected) {
            throw ModelFolderError.mixedNames(path: path, prefix: hint, count: count(hint), total: source.names.count)
        }
        let misshapen = try parameters.compactMap { parameter -> (name: String, got: [Int], expected: [Int])? in
            guard let name = actual[parameter.name] else { return nil }
            let (shape, wanted) = (try source.shape(of: name), parameter.fileShape)
            // The oldest files keep attention projections as 1×1 convolutions.
            let isSqueezed = parameter.layout == .linear && shape == wanted + [1, 1]
            return shape == wanted || isSqueezed ? nil : (name, shape, wanted)
        }
        if !isRecorded, extra.isEmpty {
            if let first = misshapen.first, misshapen.allSatisfy({ Self.isNarrower($0.got, $0.expected) }) {
                throw ModelFolderError.prunedWithoutRecord(
                    path: path,
                    evidence: "tensor \(Quoted(first.name)) has shape \(first.got), expected \(first.expected)")
            }
            if misshapen.isEmpty, let first = missing.first, Self.areBlocks(missing, of: parameters) {
                throw ModelFolderError.prunedWithoutRecord(
                    path: path,
                    evidence: "tensor \(Quoted(first.name)) is missing\(ModelFolderError.others(missing.count - 1))")
            }
        }
        if let first = missing.first {
            throw ModelFolderError.missingTensor(path: path, name: first.name, more: missing.count - 1)
        }
        if let first = extra.first {
            throw ModelFolderError.extraTensor(path: path, name: first, more: extra.count - 1)
        }
        if let first = misshapen.first {
            throw ModelFolderError.wrongShape(path: path, name: first.name, got: first.got, expected: first.expected)
        }
    }

    /// What some names begin with and others do not, where that is why tensors are missing or in excess.
    private func mixture(_ extra: [String], _ expected: Set<String>) -> String? {
        for name in extra where Self.isPlausible(name) {
            let dot = name.indices.first { name[$0] == "." && expected.contains(String(name[$0...].dropFirst())) }
            if let dot { return String(name[...dot]) }
        }
        return nil
    }

    private func count(_ prefix: String) -> Int { source.names.count { $0.hasPrefix(prefix) } }

    static func isNarrower(_ got: [Int], _ expected: [Int]) -> Bool {
        got.count == expected.count && got != expected && zip(got, expected).allSatisfy { $0 <= $1 }
    }

    /// Whether all that is missing lies in blocks of which pruning may leave nothing.
    private static func areBlocks(_ missing: [Parameter], of parameters: [Parameter]) -> Bool {
        func removable(_ parameter: Parameter) -> [String] {
            parameter.axes.compactMap(\.self).flatMap(\.groups).filter(\.isRemovable).map(\.name)
        }
        let names = Set(missing.map(\.name))
        let present = Set(parameters.filter { !names.contains($0.name) }.flatMap(removable))
        let gone = Set(missing.flatMap(removable)).subtracting(present)
        // An axis lies in its block: "down_blocks.0.resnets.0.inner" in "down_blocks.0.resnets.0.".
        let blocks = gone.map { $0[...($0.lastIndex(of: ".") ?? $0.startIndex)] }
        return !gone.isEmpty && names.allSatisfy { name in blocks.contains { name.hasPrefix($0) } }
    }
}

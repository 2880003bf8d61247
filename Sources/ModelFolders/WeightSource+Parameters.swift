import Layers
import WeightFiles

extension WeightSource {
    /// Reads the values of every parameter; there has to be a tensor of its name and file shape, all finite, and no
    /// other tensor. Parameters without elements need none. Of a linear layer `[out, in, 1, 1]` is read too. Nothing
    /// is read before all names and shapes fit.
    ///
    /// - Parameters:
    ///   - parameters: the network's.
    ///   - current: what a parameter is called today that goes by this name in the file.
    /// - Throws: `ModelFolderError` that names the first tensor that does not fit; what reading throws.
    public func load(into parameters: [Parameter], renaming current: (String) -> String = { $0 }) throws {
        let names = currentNames(current)
        let missing = parameters.filter { $0.count > 0 && names[$0.name] == nil }
        if let first = missing.first {
            throw ModelFolderError.missingTensor(path: url.path, name: first.name, more: missing.count - 1)
        }
        let expected = Set(parameters.map(\.name))
        let extra = names.keys.filter { !expected.contains($0) }.sorted()
        if let first = extra.first {
            throw ModelFolderError.extraTensor(path: url.path, name: first, more: extra.count - 1)
        }
        let found = parameters.compactMap { parameter in names[parameter.name].map { (parameter, $0) } }
        for (parameter, name) in found {
            let shape = try shape(of: name)
            // The oldest files keep attention projections as 1×1 convolutions.
            let isSqueezed = parameter.layout == .linear && shape == parameter.fileShape + [1, 1]
            guard shape == parameter.fileShape || isSqueezed else {
                throw ModelFolderError.wrongShape(
                    path: url.path, name: name, got: shape, expected: parameter.fileShape)
            }
        }
        for (parameter, name) in found {
            let values = try floats(name)
            guard values.allSatisfy(\.isFinite) else { throw ModelFolderError.notFinite(path: url.path, name: name) }
            if parameter.count > 0 { parameter.load(fileValues: values) }
        }
    }

    /// Names in the file by those of today. An old name beside today's for the same tensor stands for itself.
    private func currentNames(_ current: (String) -> String) -> [String: String] {
        var actual: [String: String] = [:]
        for name in names where current(name) == name { actual[name] = name }
        for name in names where current(name) != name {
            actual[actual[current(name)] == nil ? current(name) : name] = name
        }
        return actual
    }
}

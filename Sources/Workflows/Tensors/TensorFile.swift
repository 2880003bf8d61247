import Files
import Foundation
import Models
import TensorCore
import WeightFiles

/// What is wrong with the contents of a tensor file that a user gave.
public enum TensorFileError: Error, CustomStringConvertible {
    case missing(file: String, name: String, present: [String])
    case wrongShape(file: String, name: String, got: [Int], expected: String)
    case notFinite(file: String, name: String)
    case outOfRange(file: String, name: String, got: String, expected: String)
    case unfit(file: String, reason: String)
    case resultNotFinite(what: String)

    public var description: String {
        switch self {
        case .missing(let file, let name, let present):
            "\(file): there is no tensor '\(name)'"
                + (Spelling.nearest(to: name, among: present).map { ", the nearest is '\($0)'" }
                    ?? ", only \(present.isEmpty ? "an empty header" : present.prefix(8).joined(separator: ", "))")
        case .wrongShape(let file, let name, let got, let expected):
            "\(file): tensor '\(name)' has shape \(got), expected \(expected)"
        case .notFinite(let file, let name): "\(file): tensor '\(name)' has values that are not finite"
        case .outOfRange(let file, let name, let got, let expected):
            "\(file): tensor '\(name)' holds \(got), expected \(expected)"
        case .unfit(let file, let reason): "\(file): \(reason)"
        case .resultNotFinite(let what):
            "\(what) has values that are not finite: the weights or the input are broken, "
                + "or a timestep at which the model is undefined"
        }
    }
}

/// Reads inputs from safetensors files, images from channels first (files) to channels last (the engine).
struct TensorFile {
    private let source: SafetensorsFile
    var path: String { source.url.path }

    init(_ url: URL) throws { source = try SafetensorsFile(contentsOf: url) }

    func contains(_ name: String) -> Bool { source.contains(name) }

    func shape(_ name: String) throws -> [Int] {
        guard source.contains(name) else {
            throw TensorFileError.missing(file: path, name: name, present: source.names)
        }
        return try source.shape(of: name)
    }

    /// `[N, C, H, W]` with C `channels`, as `[N, H, W, C]`.
    func images(_ name: String, channels: Int) throws -> Tensor {
        let shape = try shape(name)
        guard shape.count == 4, shape.allSatisfy({ $0 > 0 }), shape[1] == channels else {
            throw TensorFileError.wrongShape(
                file: path, name: name, got: shape, expected: "[N, \(channels), H, W], the model's \(channels) channels"
            )
        }
        return try Tensor(channelsFirst: finiteFloats(name), shape: shape)
    }

    func finiteFloats(_ name: String) throws -> [Float] {
        let values = try source.floats(name)
        guard values.allSatisfy(\.isFinite) else { throw TensorFileError.notFinite(file: path, name: name) }
        return values
    }

    /// `[N]` numbers, whole or not.
    func numbers(_ name: String, count: Int) throws -> [Float] {
        let shape = try shape(name)
        guard shape == [count] else {
            throw TensorFileError.wrongShape(file: path, name: name, got: shape, expected: "[\(count)], one an image")
        }
        if try source.elementType(of: name).isFloatingPoint { return try finiteFloats(name) }
        return try source.integers(name).map { value in
            // Beyond this a Float cannot tell neighbours apart, and no timestep or class is so large.
            guard value.magnitude <= 1 << 24 else {
                throw TensorFileError.outOfRange(file: path, name: name, got: "\(value)", expected: "at most 16777216")
            }
            return Float(value)
        }
    }

    /// `class_labels`, `[N]` or `[N, width]`; nil where there are none.
    func classLabels(count: Int) throws -> ClassLabels? {
        let name = "class_labels"
        guard source.contains(name) else { return nil }
        let shape = try shape(name)
        guard shape.count == 2 else { return .numbers(try numbers(name, count: count)) }
        guard shape[0] == count, shape[1] > 0 else {
            throw TensorFileError.wrongShape(
                file: path, name: name, got: shape, expected: "[\(count)] or [\(count), width], one an image")
        }
        return .vectors(Tensor(try finiteFloats(name), shape: shape))
    }

    /// Whether everything fits the model.
    func check(_ model: UNet, sample: Tensor, timesteps: [Float], labels: ClassLabels?) throws {
        do {
            try model.check(sampleShape: sample.shape, timesteps: timesteps, classLabels: labels)
        } catch {
            throw TensorFileError.unfit(file: path, reason: "\(error)")
        }
    }
}

import Files
import Foundation
import Imagery

/// What a run is: the command, its resolved configuration, and the contents of the models and images it works on. All
/// bits of a run follow from it, so a run is only resumed when nothing of it has changed.
package struct RunIdentity: Equatable {
    package let command: String
    package let configuration: JSONValue
    /// By the name that an error calls the input, then by part: SHA-256 of the content, wherever it lies.
    package let inputs: [String: [String: String]]

    /// - Parameters:
    ///   - models: digests of each model's parts, by the model's name, as "teacher".
    ///   - data: the images as the run sees them.
    package init(
        command: String, configuration: JSONValue, models: [String: [String: String]] = [:],
        data: InMemoryDataset?
    ) {
        var inputs = models
        if let data { inputs[Self.dataName] = ["images": data.digest] }
        self.init(command: command, configuration: configuration, inputs: inputs)
    }

    package init(command: String, configuration: JSONValue, inputs: [String: [String: String]]) {
        self.command = command
        self.configuration = configuration
        self.inputs = inputs
    }

    private static let dataName = "data"

    // MARK: what may change

    /// Whether a run may be made longer when it is resumed.
    package enum Growth {
        /// The number of steps under this key may rise: all that was done would have been the same in the longer run.
        case allowed(key: String)
        /// Not so, for this reason.
        case refused(key: String, reason: String)

        package var key: String {
            switch self {
            case .allowed(let key), .refused(let key, _): key
            }
        }
    }

    /// Keys of any section that no bit of the result depends on.
    private static let freeKeys: Set<String> = ["checkpoint_minutes", "keep_checkpoints"]

    /// What differs from when the run began, a phrase each; empty where the run may be resumed.
    package func differences(from began: RunIdentity, growth: Growth) -> [String] {
        guard command == began.command else { return ["it is a run of '\(began.command)', not of '\(command)'"] }
        var differences: [String] = []
        for name in Set(inputs.keys).union(began.inputs.keys).sorted() {
            guard let now = inputs[name], let then = began.inputs[name] else {
                differences.append("the \(name) (\(inputs[name] == nil ? "missing now" : "none at the beginning"))")
                continue
            }
            for part in Set(now.keys).union(then.keys).sorted() where now[part] != then[part] {
                func short(_ digest: String?) -> String { digest.map { "SHA-256 \($0.prefix(12))…" } ?? "not there" }
                let change = "\(short(now[part])), at the beginning \(short(then[part]))"
                differences.append("the \(part) of the \(name) (\(change))")
            }
        }
        let (now, then) = (configuration.leaves, began.configuration.leaves)
        for key in Set(now.keys).union(then.keys).sorted() where now[key] != then[key] {
            // The content of the images is compared; where they lie now is no matter.
            if key == "data.path", inputs[Self.dataName] != nil { continue }
            if let name = key.split(separator: ".").last, Self.freeKeys.contains(String(name)) { continue }
            var note = ""
            if key == growth.key, case .int(let new)? = now[key], case .int(let old)? = then[key], new > old {
                guard case .refused(_, let reason) = growth else { continue }
                note = " (\(reason))"
            }
            let (got, expected) = (now[key]?.summary ?? "missing", then[key]?.summary ?? "missing")
            differences.append("\(key) (\(got), at the beginning \(expected))\(note)")
        }
        return differences
    }
}

extension InMemoryDataset {
    /// SHA-256 of all images and labels.
    package var digest: String {
        var hash = SHA256()
        hash.update("\(count) \(height) \(width) \(channels) \(labelCount ?? -1)\n")
        for index in 0..<count {
            hash.update(image(index).pixels)
            if let label = label(index) { hash.update("\(label)\n") }
        }
        return hash.digest()
    }
}

extension JSONValue {
    /// Values by their dotted keys; lists count as values.
    fileprivate var leaves: [String: JSONValue] {
        guard case .object(let members) = self, !members.isEmpty else { return ["": self] }
        var leaves: [String: JSONValue] = [:]
        for (key, value) in members {
            for (rest, leaf) in value.leaves { leaves[rest.isEmpty ? key : "\(key).\(rest)"] = leaf }
        }
        return leaves
    }
}

import Files

extension Pipeline {
    /// What the pipeline is, by content: SHA-256 of its weights, U-Net configuration, scheduler and pruning record.
    ///
    /// Equal models have equal digests whatever their files: sharded or not, with defaults spelled out or left away.
    public func digests() throws -> [String: String] {
        var digests = [
            "weights": weightsDigest,
            "configuration": try Self.digest(of: model.configuration),
            "scheduler": try Self.digest(of: scheduler),
        ]
        if let pruning { digests["pruning record"] = try Self.digest(of: pruning) }
        return digests
    }

    private var weightsDigest: String {
        var hash = SHA256()
        for parameter in model.parameters {
            hash.update("\(parameter.name) \(parameter.fileShape)\n")
            parameter.fileValues(of: parameter.variable.value).withUnsafeBytes { hash.update($0) }
        }
        return hash.digest()
    }

    private static func digest(of value: some Encodable) throws -> String {
        var hash = SHA256()
        hash.update(try JSONValue(encoding: value).text(.compact))
        return hash.digest()
    }
}

/// The names that diffusers gave attention projections before 0.17.
enum AttentionNames {
    private static let renamed = ["query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"]

    /// Today's name of a tensor.
    static func current(_ name: String) -> String {
        var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 3, parts.contains("attentions"), let new = renamed[parts[parts.count - 2]] else {
            return name
        }
        parts[parts.count - 2] = new
        return parts.joined(separator: ".")
    }
}

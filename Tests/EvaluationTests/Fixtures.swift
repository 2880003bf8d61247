import Foundation

/// Reads a JSON fixture from Tests/Fixtures/evaluation, beside the script that made it.
func fixture<Value: Decodable>(_ name: String, as type: Value.Type) throws -> Value {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/evaluation/\(name)")
    return try JSONDecoder().decode(type, from: Data(contentsOf: url))
}

/// Whether two numbers agree to `tolerance`, relative for numbers above 1.
func close(_ a: Double, _ b: Double, _ tolerance: Double) -> Bool {
    abs(a - b) <= tolerance * max(1, abs(a), abs(b))
}

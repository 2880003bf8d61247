import Foundation

/// Golden tensors of single operations, made with PyTorch.
let operationsFixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/operations/operations.safetensors")

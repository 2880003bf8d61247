public enum RandomPurpose { case weights, dropout }
public struct RandomStream { public init(seed: UInt64, purpose: RandomPurpose, index: UInt64) {}
 public mutating func uniform() -> Float { 0.5 }
 public mutating func fillNormal(_ b: UnsafeMutableBufferPointer<Float>) { } }

import Foundation

/// Numbers in messages.
extension Double {
    /// All digits, as people write them: whole numbers without a point.
    public var plain: String {
        self == rounded() && abs(self) < 1e15 ? "\(Int(self))" : "\(self)"
    }

    /// So many significant digits of what was computed, without zeros at the end.
    public func significant(_ digits: Int = 3) -> String {
        guard isFinite else { return "\(self)" }
        return (Double(String(format: "%.\(max(1, min(digits, 17)))g", self)) ?? self).plain
    }
}

extension Float {
    /// All digits, as people write them: whole numbers without a point.
    public var plain: String { self == rounded() ? Double(self).plain : "\(self)" }
}

extension Double {
    /// With this many digits after the point.
    func formatted(digits: Int) -> String {
        guard isFinite else { return "\(self)" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = (abs(self) * scale).rounded()
        guard scaled < 1e15 else { return "\(self)" }
        let whole = Int(scaled / scale)
        let rest = "\(Int(scaled) - whole * Int(scale))"
        let sign = self < 0 && scaled > 0 ? "-" : ""
        return digits == 0
            ? "\(sign)\(whole)" : "\(sign)\(whole)." + String(repeating: "0", count: digits - rest.count) + rest
    }
}

import Layers

/// The width of an axis as a function of those of a space's sites.
struct AxisWidth {
    /// Whose widths are added up.
    let sites: [Int]
    /// What is added to them.
    let constant: Double

    func value(_ widths: [Double]) -> Double { sites.reduce(constant) { $0 + widths[$1] } }
}

/// Which site of a space is a group's axis.
struct SiteNumbers {
    private var numbers: [ObjectIdentifier: Int] = [:]

    /// - Precondition: a space of channels.
    init(_ space: PruningSpace) {
        for (index, group) in space.groups.enumerated() { numbers[ObjectIdentifier(group.axis)] = index }
    }

    /// nil for a group that cannot be pruned.
    subscript(group: ChannelGroup) -> Int? { numbers[ObjectIdentifier(group)] }

    func width(_ axis: ChannelAxis) -> AxisWidth {
        AxisWidth(
            sites: axis.groups.compactMap { self[$0] },
            constant: axis.groups.reduce(0) { $0 + (self[$1] == nil ? Double($1.width) : 0) })
    }
}

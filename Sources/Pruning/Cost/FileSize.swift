import Layers

/// Bytes of the file that a network's weights are saved in, as a function of the widths of its prunable axes. For whole
/// widths it is the file's size to the byte; for fractional ones the names and shapes in the file's header count as at
/// the nearest whole widths.
struct FileSize: Cost {
    let kind = CostKind.bytes
    private let elements: WidthPolynomial
    private let storage: any WeightStorage
    /// Of each tensor: the dimensions in files.
    private let shapes: [[AxisWidth]]
    /// Of each tensor: the site without whose channels it is not saved.
    private let branches: [Int?]

    /// - Precondition: a space of channels.
    init(of network: any ChannelNetwork, space: PruningSpace, _ storage: any WeightStorage) {
        let sites = SiteNumbers(space)
        elements = WidthPolynomial(of: network, space: space, elementBytes: storage.elementBytes)
        self.storage = storage
        shapes = network.parameters.map { parameter in
            zip(parameter.fileAxes, parameter.fileShape).map { axis, extent in
                axis.map(sites.width) ?? AxisWidth(sites: [], constant: Double(extent))
            }
        }
        branches = network.parameters.map { $0.branch.flatMap { sites[$0.groups[0]] } }
    }

    func value(_ widths: [Double]) -> Double {
        let whole = widths.map { $0.rounded() }
        let shapes = zip(shapes, branches).map { shape, branch in
            if let branch, whole[branch] == 0 { return [0] }
            return shape.map { Int($0.value(whole)) }
        }
        return elements.value(widths) + Double(storage.overhead(of: shapes))
    }

    /// Of the elements alone: what the header has less is a few bytes.
    func slopes(_ widths: [Double]) -> [Double] { elements.slopes(widths) }
}

import Configuration
import Pruning
import PruningMethods

/// The section `recovery` of one kind of model: how it is repaired once it is decided what leaves it, and what a
/// teacher teaches it then.
public protocol RecoverySection: ConfigurationSection, Equatable {
    /// The repair of the weights of what is left, before anything is removed.
    var reconstruction: Reconstruction { get }
    /// What a teacher draws to learn from, by the name of its kind; nil for nothing.
    var drawn: String? { get }
    /// Whether a teacher has to be there.
    var needsTeacher: Bool { get }
    /// What steps take more than those without a teacher: predictions of the teacher's for each sample, and what a
    /// prediction of the model's own is multiplied by.
    var stepCost: (teacher: Double, own: Double) { get }

    /// The keys that say nothing of fine-tuning.
    static var repairKeys: Set<String> { get }
    /// What the section holds where it says nothing.
    ///
    /// - Parameters:
    ///   - document: says whether a teacher draws anything.
    ///   - distillation: weight of imitating a teacher where it does not.
    static func defaults(in document: ConfigurationDocument, distillation: Double) throws -> Self
    /// With nothing left open.
    ///
    /// - Parameter hasData: whether there is a data set.
    func resolved(hasData: Bool) throws -> Self
    /// Refuses what cannot be had where masks have this granularity.
    func check(for granularity: Granularity.Name) throws
    /// Refuses a teacher that nothing is asked of, and anything asked of none.
    /// - Throws: `RequestError`.
    func check(hasTeacher: Bool) throws
}

extension RecoverySection {
    /// Whether a teacher draws something to learn from.
    var isDrawn: Bool { drawn != nil }

    static func defaults(in document: ConfigurationDocument) throws -> Self {
        try defaults(in: document, distillation: 0)
    }
}

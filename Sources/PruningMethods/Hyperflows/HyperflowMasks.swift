import Files
import Layers
import Pruning
import TensorCore
import Training

/// A mask on everything there is, which is on while its t is at least 0, under a pressure on every t.
final class HyperflowMasks: MaskLearning {
    let name = "hyperflows"
    let parameterGroups: [ParameterGroup]
    let attachments: Attachments
    let epochs: PressureEpochs
    private let space: PruningSpace
    private let selection: Selection
    private let configuration: HyperflowsConfiguration
    /// nil under a constant pressure, and where there are no epochs.
    private let trajectory: PressureTrajectory?
    private let sites: [HyperflowSite]
    /// What each coordinate of a site costs, all together 1.
    private let costs: [Float]
    private var scheduler = PressureScheduler()
    private var flow = FlowSums()
    /// The network's weights before the update that is under way.
    private var before: Tensor?

    init(in context: PruningContext, _ configuration: HyperflowsConfiguration, seed: UInt64) {
        space = context.space
        selection = context.selection
        self.configuration = configuration
        costs = context.coordinateCosts
        let epochs = PressureEpochs(
            steps: context.timing.softSteps, pruning: configuration.epochs, regrowth: configuration.regrowthEpochs)
        self.epochs = epochs
        trajectory =
            configuration.constantPressure > 0 || epochs.count == 0
            ? nil : PressureTrajectory(epochs: epochs.pruning, target: context.remaining)
        let minimum = context.selection.partition.minimumWidths
        sites = context.space.sites.indices.map { index in
            HyperflowSite(
                context.space.sites[index].name, shape: context.space.shapes[index], minimum: minimum[index],
                stream: RandomStream(seed: seed, purpose: .mask, index: UInt64(index)))
        }
        let (scale, decay) = (configuration.regrowthRate, configuration.regrowthDecay)
        parameterGroups = [
            ParameterGroup(
                "t", parameters: sites.map(\.t), learningRate: configuration.travel / epochs.meanLength
            ) { step in
                let regrown = epochs.epoch(at: step) - epochs.pruning - 1
                return regrown < 0 ? 1 : scale * Self.power(decay, regrown)
            }
        ]
        attachments = Attachments(zip(sites, context.space.sites).map { .init($0, to: $1) })
    }

    /// base^exponent by repeated multiplication: the same bits everywhere.
    private static func power(_ base: Double, _ exponent: Int) -> Double {
        (0..<exponent).reduce(1) { p, _ in p * base }
    }

    // MARK: a step

    func prepare(step: Int) {
        guard isOn else { return }
        for site in sites { site.decide() }
    }

    /// γ_eff at a step.
    private func effectivePressure(at step: Int) -> Double {
        guard epochs.epoch(at: step) <= epochs.pruning else { return 0 }
        return configuration.constantPressure > 0 ? configuration.constantPressure : scheduler.effective
    }

    /// γ_eff·Σ_k p_k·t_k.
    func regularizer(step: Int) -> Variable? {
        let pressure = Float(effectivePressure(at: step))
        guard isOn, pressure > 0 else { return nil }
        return zip(sites, costs).map { site, cost in
            site.t.variable.summed(over: .all).scaled(by: pressure * cost)
        }.total
    }

    func afterBackward(step: Int, optimizer: Optimizer) {
        guard isOn else { return }
        let pressure = Float(effectivePressure(at: step))
        for (site, cost) in zip(sites, costs) { flow.add(site, pressure: pressure * cost) }
        let weights = optimizer.arena.values
        let before = self.before ?? Tensor(uninitialized: [weights.count])
        before.assign(weights)
        self.before = before
    }

    /// What is pruned stays as it left: neither decay nor what the optimiser remembers moves it.
    func afterUpdate(step: Int, optimizer: Optimizer) {
        guard isOn, let before else { return }
        for (site, place) in zip(sites, space.sites) {
            site.restorePruned(at: place, from: before, in: optimizer.arena)
        }
    }

    // MARK: an epoch

    /// The masks that follow from the present t.
    var masks: Masks {
        for site in sites { site.decide() }
        return Masks(space, bySite: sites.map { $0.mask.array })
    }

    /// Ends an epoch, and sets the pressure of the next.
    ///
    /// - Parameters:
    ///   - epoch: from 1.
    ///   - masks: the present ones.
    /// - Returns: what the epoch came to.
    func end(epoch: Int, at masks: Masks) -> PressureReport {
        let isPruning = epoch <= epochs.pruning
        let remaining = selection.remaining(of: masks)
        let wanted = isPruning ? trajectory?.remaining(after: epoch) : nil
        let constant = configuration.constantPressure
        let effective = !isPruning ? 0 : constant > 0 ? constant : scheduler.effective
        let report = PressureReport(
            epoch: epoch, stage: isPruning ? .pruning : .regrowth,
            pressure: constant > 0 ? PressureScheduler.pressure(of: effective) : isPruning ? scheduler.pressure : 0,
            effectivePressure: effective, remaining: remaining, wanted: wanted,
            pruned: masks.values.count { $0 == 0 }, of: space.count, prunedFlow: flow.prunedMean,
            liveFlow: flow.liveMean)
        flow = FlowSums()
        if let wanted, epoch < epochs.pruning {
            scheduler.advance(isTooDense: remaining > wanted, step: configuration.step)
        }
        return report
    }

    /// t of every coordinate.
    var scores: [[Double]] { sites.map { $0.t.variable.value.array.map(Double.init) } }

    // MARK: checkpoints

    var state: ExtensionState {
        var values: [String: JSONValue] = ["on": .bool(isOn)]
        values["scheduler"] = try? JSONValue(encoding: scheduler)
        values["flow"] = try? JSONValue(encoding: flow)
        return ExtensionState(values: values)
    }

    func restore(_ state: ExtensionState) throws {
        guard let scheduler = try? state.values["scheduler"]?.decoded(as: PressureScheduler.self),
            let flow = try? state.values["flow"]?.decoded(as: FlowSums.self)
        else { throw PrunerStateError(method: Hyperflows.card.name, reason: "its pressure is damaged") }
        self.scheduler = scheduler
        self.flow = flow
        if state.values["on"] == .bool(false) { detach() }
    }
}

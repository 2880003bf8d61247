import Files
import Foundation
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
    /// What γ_eff is multiplied by where it counts in flow: the mean flow times the number of coordinates; 1 before
    /// there was any.
    private var flowUnit = 1.0
    private var hasFlowUnit = false
    /// What was left after the epoch before.
    private var previous = 1.0
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
                "t", parameters: sites.map(\.t), optimizer: Self.optimizer(epochLength: epochs.meanLength),
                learningRate: configuration.travel / epochs.meanLength
            ) { step in
                let regrown = epochs.epoch(at: step) - epochs.pruning - 1
                return regrown < 0 ? 1 : scale * PressureTrajectory.power(decay, regrown)
            }
        ]
        attachments = Attachments(zip(sites, context.space.sites).map { .init($0, to: $1) })
    }

    /// Adam, which remembers the same share of an epoch as it does of the paper's 391 steps: over shorter ones its
    /// usual memory would answer a change of the pressure epochs later.
    private static func optimizer(epochLength: Double) -> OptimizerConfiguration {
        var optimizer = OptimizerConfiguration()
        let shortening = max(391 / epochLength, 1)
        optimizer.beta1 = Foundation.pow(optimizer.beta1, shortening)
        optimizer.beta2 = Foundation.pow(optimizer.beta2, shortening)
        return optimizer
    }

    // MARK: a step

    func prepare(step: Int) {
        guard isOn else { return }
        for site in sites { site.decide() }
    }

    /// γ_eff at a step.
    private func effectivePressure(at step: Int) -> Double {
        epochs.epoch(at: step) <= epochs.pruning ? effectivePressure : 0
    }

    /// γ_eff of the present epoch, in the loss, if it is one of pruning.
    private var effectivePressure: Double {
        configuration.constantPressure > 0 ? configuration.constantPressure : scheduler.effective * flowUnit
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
        let effective = isPruning ? effectivePressure : 0
        let report = PressureReport(
            epoch: epoch, stage: isPruning ? .pruning : .regrowth,
            pressure: constant > 0 ? PressureScheduler.pressure(of: effective) : isPruning ? scheduler.pressure : 0,
            effectivePressure: effective, remaining: remaining, wanted: wanted,
            pruned: masks.values.count { $0 == 0 }, of: space.count, prunedFlow: flow.prunedMean,
            liveFlow: flow.liveMean)
        if configuration.unit == .flow, !hasFlowUnit, let mean = flow.liveMean, mean > 0 {
            flowUnit = mean * Double(space.count)
            hasFlowUnit = true
        }
        flow = FlowSums()
        if let trajectory, epoch < epochs.pruning {
            scheduler.advance(
                isTooDense: trajectory.isExceeded(
                    by: remaining, previously: previous, after: epoch, lookahead: configuration.lookahead),
                step: configuration.step)
        }
        previous = remaining
        return report
    }

    /// t of every coordinate.
    var scores: [[Double]] { sites.map { $0.t.variable.value.array.map(Double.init) } }

    // MARK: checkpoints

    var state: ExtensionState {
        var values: [String: JSONValue] = ["on": .bool(isOn), "previous": .double(previous)]
        values["scheduler"] = try? JSONValue(encoding: scheduler)
        values["flow"] = try? JSONValue(encoding: flow)
        if hasFlowUnit { values["flow_unit"] = .double(flowUnit) }
        return ExtensionState(values: values)
    }

    func restore(_ state: ExtensionState) throws {
        guard let scheduler = try? state.values["scheduler"]?.decoded(as: PressureScheduler.self),
            let flow = try? state.values["flow"]?.decoded(as: FlowSums.self),
            let previous = state.values["previous"]?.doubleValue
        else { throw PrunerStateError(method: Hyperflows.card.name, reason: "its pressure is damaged") }
        self.scheduler = scheduler
        self.flow = flow
        self.previous = previous
        flowUnit = state.values["flow_unit"]?.doubleValue ?? 1
        hasFlowUnit = state.values["flow_unit"] != nil
        if state.values["on"] == .bool(false) { detach() }
    }
}

import Diffusion
import Foundation
import Layers
import Pruning
import PruningMethods
import TensorCore
import Testing
import CKernels

func nhwc(_ v: [Float], _ s: [Int]) -> Tensor {
    let a = Tensor(v, shape: s)
    let x = Tensor(uninitialized: [s[0], s[2], s[3], s[1]])
    dk_nchw_to_nhwc(a.pointer, s[0], s[2] * s[3], s[1], x.pointer)
    return x
}
func loadModel(_ folder: URL) throws -> UNet {
    let configuration = try JSONDecoder().decode(UNetConfiguration.self, from: Data(contentsOf: folder.appendingPathComponent("unet/config.json")))
    let model = try UNet(configuration)
    let weights = try SafetensorsFile(contentsOf: folder.appendingPathComponent("unet/diffusion_pytorch_model.safetensors"))
    for p in model.parameters { p.load(fileValues: try weights.floats(p.name)) }
    return model
}
final class Source: CalibrationSource {
    let model: UNet; let x: Tensor; let noise: Tensor; let t: [Float]
    init(_ m: UNet, _ x: Tensor, _ n: Tensor, _ t: [Float]) { model = m; self.x = x; noise = n; self.t = t }
    var offers: Evidence { [.gradients, .curvature] }
    var batchCount: Int { 1 }
    func loss(batch: Int) throws -> Variable { model(Variable(x), timesteps: t).meanSquaredError(to: noise) }
    var stageCount: Int { 0 }
    func loss(stage: Int) throws -> Variable { fatalError() }
    var sampleCount: Int { 0 }
    func loss(sample: Int) throws -> Variable { fatalError() }
}
@Test func scoreProbe() throws {
    let root = fixtures.appendingPathComponent("scores")
    let model = try loadModel(root.appendingPathComponent("model"))
    let b = try SafetensorsFile(contentsOf: root.appendingPathComponent("batch.safetensors"))
    let s = b.shape(of: "sample")
    let x0 = nhwc(try b.floats("sample"), s), noise = nhwc(try b.floats("noise"), s)
    let t = try b.floats("timestep")
    var ab: [Double] = []; var p = 1.0
    for i in 0..<1000 { p *= 1 - (1e-4 + (0.02 - 1e-4) * Double(i) / 999); ab.append(p) }
    let xt = Tensor(uninitialized: x0.shape)
    let per = xt.count / t.count
    for i in 0..<xt.count { let a = ab[Int(t[i / per])]; xt.pointer[i] = Float(a.squareRoot()) * x0.pointer[i] + Float((1 - a).squareRoot()) * noise.pointer[i] }
    let arena = ParameterArena(model.parameters)
    let groups = PrunableGroup.all(of: model)
    let collector = EvidenceCollector(groups: groups, arena: arena, source: Source(model, xt, noise, t))
    let c = try collector.curvature(masks: MaskSet(keepingAllOf: groups))
    let e = try SafetensorsFile(contentsOf: root.appendingPathComponent("expected.safetensors"))
    print("loss", c.gradient.loss, try e.floats("loss"))
    var dot = 0.0, na = 0.0, nb = 0.0
    for (i, p) in arena.parameters.enumerated() {
        let w = arena.slice(arena.values, i), h = arena.slice(c.hessianGradient, i)
        let sc = Tensor(uninitialized: w.shape)
        for j in 0..<w.count { sc.pointer[j] = -w.pointer[j] * h.pointer[j] }
        let ours = p.fileValues(of: sc), ref = try e.floats("gradient-flow/" + p.name)
        for (a, b) in zip(ours, ref) { dot += Double(a) * Double(b); na += Double(a) * Double(a); nb += Double(b) * Double(b) }
    }
    print("cosine", dot / (na * nb).squareRoot(), na / nb)
    // velocity vs finite difference of -1/2|g|^2 in a gate
    var masks = MaskSet(keepingAllOf: groups)
    for gi in 0..<groups.count {
        let h: Float = 1e-2
        masks.values[gi][0] = 1 - h
        let a = try collector.gradients(masks: masks)
        masks.values[gi][0] = 1 + h
        let b2 = try collector.gradients(masks: masks)
        masks.values[gi][0] = 1
        let fd = -0.5 * (arena.squaredNorm(b2.weights) - arena.squaredNorm(a.weights)) / Double(2 * h)
        let dl = (b2.loss - a.loss) / Double(2 * h)
        print(groups[gi].name, "velocity", c.velocity[gi][0], "expected -dE/dm", -fd, "dL", c.gradient.gates[gi][0], dl)
    }
    // masked == compacted
    var stream = RandomStream(seed: 3, purpose: .mask)
    for gi in groups.indices { for ci in masks.values[gi].indices { masks.values[gi][ci] = stream.uniform() < 0.5 ? 0 : 1 }; masks.values[gi][1] = 1 }
    masks.install(on: groups, trainable: false)
    let y1 = Autograd.withoutRecording { model(Variable(xt), timesteps: t) }
    let compacted = try Compaction(model, groups: groups, masks: masks).network
    let y2 = Autograd.withoutRecording { compacted(Variable(xt), timesteps: t) }
    let err = zip(y1.value.array, y2.value.array).map { abs($0 - $1) }.max()!
    let scale = y1.value.array.map { abs($0) }.max()!
    print("masked vs compacted", err, scale, compacted.parameterCount, model.parameterCount)
}

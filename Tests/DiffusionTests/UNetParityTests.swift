import Diffusion
import Foundation
import TensorCore
import Testing
import CKernels

let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures")

@Test func everyConfiguration() throws {
    let root = fixtures.appendingPathComponent("unet")
    for name in try FileManager.default.contentsOfDirectory(atPath: root.path).sorted() {
        let folder = root.appendingPathComponent(name)
        let configURL = folder.appendingPathComponent("unet/config.json")
        guard FileManager.default.fileExists(atPath: configURL.path) else { continue }
        let weightsURL = folder.appendingPathComponent("unet/diffusion_pytorch_model.safetensors")
        guard FileManager.default.fileExists(atPath: weightsURL.path) else { print("skip", name); continue }
        do {
            let configuration = try JSONDecoder().decode(UNetConfiguration.self, from: Data(contentsOf: configURL))
            let model = try UNet(configuration)
            let weights = try SafetensorsFile(contentsOf: weightsURL)
            let names = Set(weights.names)
            for p in model.parameters {
                #expect(weights.shape(of: p.name) == p.fileShape, "\(name) \(p.name)")
                p.load(fileValues: try weights.floats(p.name))
            }
            if names != Set(model.parameters.map(\.name)) { print(name, "extra", names.symmetricDifference(model.parameters.map(\.name))) }
            let io = try SafetensorsFile(contentsOf: folder.appendingPathComponent("io.safetensors"))
            let s = io.shape(of: "sample")
            let nchw = Tensor(try io.floats("sample"), shape: s)
            let x = Tensor(uninitialized: [s[0], s[2], s[3], s[1]])
            dk_nchw_to_nhwc(nchw.pointer, s[0], s[2] * s[3], s[1], x.pointer)
            let t = try io.floats("timestep")
            var labels: ClassLabels?
            if io.names.contains("class_labels") {
                let v = try io.floats("class_labels")
                labels = configuration.classEmbedType == .identity ? .vectors(Tensor(v, shape: io.shape(of: "class_labels"))) : .numbers(v)
            }
            try model.check(sampleShape: x.shape, timesteps: t, classLabels: labels)
            let y = Autograd.withoutRecording { model(Variable(x), timesteps: t, classLabels: labels) }
            let ps = io.shape(of: "prediction")
            let out = Tensor(uninitialized: ps)
            dk_nhwc_to_nchw(y.value.pointer, ps[0], ps[2] * ps[3], ps[1], out.pointer)
            let expected = try io.floats("prediction")
            let err = zip(out.array, expected).map { abs($0 - $1) }.max()!
            print(name, err)
            #expect(err < 1e-4, "\(name)")
        } catch { print(name, "ERROR", error) }
    }
}

import TestSupport
import Diffusion
import Foundation
import ModelFolders
import Runs
import Testing
import WeightFiles
import Workflows

/// `sample --noise` against what diffusers draws from the same noise.
@Suite struct GivenNoiseTests {
    @Test(arguments: [(SamplerName.ddim, 10), (.ddpm, 6)])
    func samplesAgreeWithDiffusers(sampler: SamplerName, steps: Int) throws {
        try withTemporaryFolder { folder in
            let output = folder.appendingPathComponent("samples")
            var request = SamplingRequest()
            request.sampler = sampler
            request.steps = steps
            request.batchSize = 2
            let files = Fixtures.url("sampling")
            let count = try SamplingWorkflow(
                PipelineFolder(Fixtures.url("unet/rgb")).load(), request,
                noise: files.appendingPathComponent("\(sampler.rawValue)-noise.safetensors"),
                in: RunContext(output: output)
            ).run()
            #expect(count == 3)
            let expected = try SafetensorsFile(
                contentsOf: files.appendingPathComponent("\(sampler.rawValue)-samples.safetensors"))
            let got = try SafetensorsFile(contentsOf: output.appendingPathComponent("samples.safetensors"))
            #expect(try got.shape(of: "samples") == expected.shape(of: "samples"))
            let worst = zip(try got.floats("samples"), try expected.floats("samples")).reduce(0) {
                max($0, abs($1.0 - $1.1))
            }
            #expect(worst < 1e-4)
            for name in ["grid.png", "images/000000.png", "images/000002.png"] {
                #expect(FileManager.default.fileExists(atPath: output.appendingPathComponent(name).path))
            }
        }
    }
}

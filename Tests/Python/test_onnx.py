"""Exported ONNX files: valid, and the same predictions in ONNX Runtime and OpenVINO as in diffprune."""

import pathlib
import tempfile
import unittest

import numpy as np
import onnx
import onnxruntime
import openvino
from diffprune import ROOT, UNETS, fixture_inputs, predict, run

# Of the standard deviation of the prediction.
TOLERANCE = 1e-5
GRANULARITIES = {"channel": 0.3, "aligned": 0.2, "regular": 0.3}


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def typed(inputs, net):
    """`inputs` with the element types that the file asks for."""
    types = {"tensor(float)": np.float32, "tensor(int64)": np.int64}
    return {item.name: inputs[item.name].astype(types[item.type]) for item in net.get_inputs()}


def deviation(ours, theirs):
    return np.abs(ours - theirs).max() / ours.std()


class Exported(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.output = pathlib.Path(self.folder.name)

    def export(self, model, name="model"):
        path = self.output / f"{name}.onnx"
        run("export", "--model", model, "--format", "onnx", "--output", path)
        return path

    def check(self, model, inputs, name):
        path = self.export(model, name)
        onnx.checker.check_model(onnx.load(path), full_check=True)
        ours = predict(model, inputs)
        net = session(path)
        inputs = typed(inputs, net)
        self.assertLess(deviation(ours, net.run(None, inputs)[0]), TOLERANCE)
        compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        self.assertLess(deviation(ours, compiled(inputs)[0]), TOLERANCE)

    def test_every_block_type_dense(self):
        for unet in sorted(path.name for path in UNETS.iterdir() if path.is_dir()):
            with self.subTest(unet=unet):
                self.check(UNETS / unet, fixture_inputs(unet), unet)

    def test_every_block_type_pruned(self):
        for unet in sorted(path.name for path in UNETS.iterdir() if path.is_dir()):
            for granularity, sparsity in GRANULARITIES.items():
                with self.subTest(unet=unet, granularity=granularity):
                    output = self.output / f"{unet}-{granularity}"
                    try:
                        run(
                            *("prune", "--model", UNETS / unet, "--method", "random", "--finetune-steps", 0),
                            *("--target", f"sparsity={sparsity}", "--set", f"pruning.granularity={granularity}"),
                            *("--output", output),
                        )
                    except RuntimeError as error:
                        self.assertIn("cannot be reached", str(error))
                        continue
                    self.check(output / "model", fixture_inputs(unet), output.name)

    def test_any_batch(self):
        net = session(self.export(ROOT / "Samples/models/fashion-unet"))
        sample = np.random.default_rng(0).standard_normal((5, 1, 32, 32), dtype=np.float32)
        timestep = np.array([1, 20, 300, 700, 999])
        whole = net.run(None, {"sample": sample, "timestep": timestep})[0]
        single = net.run(None, {"sample": sample[2:3], "timestep": timestep[2:3]})[0]
        self.assertLess(deviation(whole[2:3], single), TOLERANCE)


if __name__ == "__main__":
    unittest.main()

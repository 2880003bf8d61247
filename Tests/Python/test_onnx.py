"""Exported ONNX files: valid, and the same predictions in ONNX Runtime and OpenVINO as in diffprune."""

import pathlib
import tempfile
import unittest

import numpy as np
import onnx
import onnxruntime
import openvino

from diffprune import BUNDLED, FIXTURES, UNETS, deviation, fixture_inputs, predict, pruned_fixtures, run

# Of the standard deviation of the prediction.
TOLERANCE = 1e-5


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def typed(inputs, net):
    """`inputs` with the element types that the file asks for."""
    types = {"tensor(float)": np.float32, "tensor(int64)": np.int64}
    return {item.name: inputs[item.name].astype(types[item.type]) for item in net.get_inputs()}


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
        net = session(path)
        # Timesteps are whole in most files.
        inputs = typed(inputs, net)
        ours = predict(model, inputs)
        self.assertLess(deviation(ours, net.run(None, inputs)[0]), TOLERANCE)
        compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        self.assertLess(deviation(ours, compiled(inputs)[0]), TOLERANCE)

    def test_every_block_type_dense(self):
        for name in FIXTURES:
            with self.subTest(unet=name):
                self.check(UNETS / name, fixture_inputs(name), name)

    def test_every_block_type_at_every_granularity(self):
        for name, granularity, folder in pruned_fixtures(self.output):
            with self.subTest(unet=name, granularity=granularity):
                self.check(folder, fixture_inputs(name), folder.parent.name)

    def test_any_batch(self):
        net = session(self.export(BUNDLED))
        sample = np.random.default_rng(0).standard_normal((5, 1, 32, 32), dtype=np.float32)
        timestep = np.array([1, 20, 300, 700, 999])
        whole = net.run(None, {"sample": sample, "timestep": timestep})[0]
        single = net.run(None, {"sample": sample[2:3], "timestep": timestep[2:3]})[0]
        self.assertLess(deviation(whole[2:3], single), TOLERANCE)


if __name__ == "__main__":
    unittest.main()

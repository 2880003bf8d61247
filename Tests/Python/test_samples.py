"""The sampling loops of Samples/python draw the pictures of `diffprune sample`, within one grey level."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

from diffprune import BUNDLED, ROOT, prune, run

COUNT = 4


def pictures(folder):
    return np.stack([np.asarray(Image.open(folder / f"{number:06d}.png"), int) for number in range(COUNT)])


class SamplingLoops(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.output = pathlib.Path(cls.folder.name)
        cls.noise = cls.output / "noise.safetensors"
        initial = np.random.default_rng(1).standard_normal((COUNT, 1, 32, 32), dtype=np.float32)
        save_file({"initial": initial}, cls.noise)
        cls.models = {"dense": BUNDLED, "pruned": prune(BUNDLED, cls.output / "run", "channel")}
        for name, model in cls.models.items():
            run(
                *("sample", "--model", model, "--noise", cls.noise, "--sampler", "ddim", "--steps", 50),
                *("--output", cls.output / name),
            )
            run("export", "--model", model, "--format", "onnx", "--output", cls.output / f"{name}.onnx")

    def check(self, script, name, model):
        target = self.output / f"{script}-{name}"
        subprocess.run(
            [sys.executable, ROOT / "Samples/python" / f"{script}.py", model, self.noise, target], check=True
        )
        ours, theirs = pictures(self.output / name / "images"), pictures(target)
        self.assertGreater(ours.std(), 20)
        self.assertLessEqual(np.abs(ours - theirs).max(), 1)

    def test_diffusers(self):
        for name, model in self.models.items():
            with self.subTest(model=name):
                self.check("sample_diffusers", name, model)

    def test_onnx_runtime(self):
        for name in self.models:
            with self.subTest(model=name):
                self.check("sample_onnx", name, self.output / f"{name}.onnx")

    def test_openvino(self):
        for name in self.models:
            with self.subTest(model=name):
                self.check("sample_openvino", name, self.output / f"{name}.onnx")


if __name__ == "__main__":
    unittest.main()

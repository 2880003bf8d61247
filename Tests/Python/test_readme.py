"""README's lines on pruning here and fine-tuning in PyTorch, run as they stand, with fewer steps and on the CPU."""

import gzip
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np
from PIL import Image

from diffprune import BUNDLED, PROGRAM, ROOT

MARK = "<!-- run by: Tests/Python/test_readme.py -->\n"


def blocks():
    """The marked blocks of README, without their fences."""
    parts = (ROOT / "README.md").read_text(encoding="utf-8").split(MARK)[1:]
    return [part.split("\n", 1)[1].split("```")[0] for part in parts]


class Readme(unittest.TestCase):
    def setUp(self):
        """A folder with the names that README uses."""
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.place = pathlib.Path(self.folder.name)
        shutil.copytree(BUNDLED, self.place / "my-model")
        (self.place / "Samples").symlink_to(ROOT / "Samples")
        (self.place / "my-images").mkdir()
        with gzip.open(ROOT / "Samples/fashion-mnist/t10k-images-idx3-ubyte.gz") as file:
            pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)[:64]
        for number, picture in enumerate(np.pad(pixels, ((0, 0), (2, 2), (2, 2)))):
            Image.fromarray(picture).save(self.place / f"my-images/{number}.png")
        (self.place / "bin").mkdir()
        for name, program in (("diffprune", os.path.abspath(PROGRAM)), ("python", sys.executable)):
            (self.place / "bin" / name).write_text(f'#!/bin/sh\nexec "{program}" "$@"\n')
            (self.place / "bin" / name).chmod(0o755)

    def test_lines(self):
        shell, python = blocks()
        self.assertIn("--steps 5000", shell)
        environment = os.environ | {"PATH": f"{self.place / 'bin'}:{os.environ['PATH']}"}
        shell = shell.replace("--steps 5000", "--steps 4 --batch 4")
        subprocess.run(["bash", "-ec", shell], cwd=self.place, env=environment, check=True, capture_output=True)
        metrics = json.loads((self.place / "runs/half/evaluation/metrics.json").read_text())
        self.assertEqual(metrics["pruning"]["method"], "magnitude")
        self.assertAlmostEqual(metrics["efficiency"]["macs"]["ratio"], 0.5, places=2)
        self.assertTrue((self.place / "half.onnx").exists())
        shutil.rmtree(self.place / "runs/half/trained")
        script = "from diffusers import DiffusionPipeline\ntrain = print\n" + python.replace('.to("cuda")', "")
        subprocess.run([sys.executable, "-c", script], cwd=self.place, check=True, capture_output=True)
        self.assertTrue((self.place / "runs/half/trained/unet/modeling_diffprune.py").exists())


if __name__ == "__main__":
    unittest.main()

"""The modelling file with torch and safetensors alone: dense and pruned folders predict what they do in diffprune."""

import importlib.util
import json
import pathlib
import shutil
import sys
import tempfile
import unittest

import torch

from diffprune import (
    BUNDLED,
    FIXTURES,
    ROOT,
    UNETS,
    bundled_inputs,
    deviation,
    fixture_inputs,
    predict,
    prune,
    pruned_fixtures,
    run,
)

# Of the standard deviation of the prediction.
TOLERANCE = 1e-5
FILE = ROOT / "Sources/ModelFolders/Resources/modeling_diffprune.py"


def modeling(path):
    spec = importlib.util.spec_from_file_location("modeling_of_test", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def call(unet, inputs):
    with torch.no_grad():
        return unet(**{key: torch.from_numpy(value) for key, value in inputs.items()}).numpy()


class PlainTorch(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.output = pathlib.Path(self.folder.name)
        self.file = modeling(FILE)

    def check(self, folder, inputs):
        self.assertLess(deviation(predict(folder, inputs), call(self.file.load(folder), inputs)), TOLERANCE)

    def test_every_block_type_dense(self):
        for name in FIXTURES:
            with self.subTest(unet=name):
                self.check(UNETS / name, fixture_inputs(name))

    def test_every_block_type_at_every_granularity(self):
        for name, granularity, folder in pruned_fixtures(self.output):
            with self.subTest(unet=name, granularity=granularity):
                self.check(folder, fixture_inputs(name))

    def test_a_pruned_folder_brings_the_file(self):
        folder = prune(BUNDLED, self.output / "run", "channel")
        file = folder / "unet/modeling_diffprune.py"
        self.assertEqual(file.read_bytes(), FILE.read_bytes())
        inputs = bundled_inputs()
        self.assertLess(deviation(predict(folder, inputs), call(modeling(file).load(folder), inputs)), TOLERANCE)

    def test_trained_saved_and_back(self):
        folder = prune(BUNDLED, self.output / "run", "channel")
        trained = self.output / "trained"
        shutil.copytree(folder, trained)
        unet = self.file.load(trained).train()
        torch.manual_seed(0)
        optimizer = torch.optim.AdamW(unet.parameters(), lr=1e-3)
        losses = []
        for _ in range(5):
            sample = torch.randn(2, 1, 32, 32)
            loss = (unet(sample, torch.tensor([10, 500])) - sample).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        self.assertLess(losses[-1], losses[0])
        self.file.save(unet, trained)
        self.check(trained, bundled_inputs())
        before, after = (json.loads(run("info", "--model", path, "--json")) for path in (folder, trained))
        self.assertEqual(before["pruning"], after["pruning"])
        run(
            *("evaluate", "--dense", BUNDLED, "--pruned", trained),
            *("--count", 2, "--steps", 2, "--output", self.output / "evaluation"),
        )

    def test_traced(self):
        inputs = bundled_inputs()
        tensors = tuple(torch.from_numpy(value) for value in inputs.values())
        folder = prune(BUNDLED, self.output / "run", "channel")
        traced = torch.jit.trace(self.file.load(folder), tensors)
        with torch.no_grad():
            self.assertLess(deviation(predict(folder, inputs), traced(*tensors).numpy()), TOLERANCE)


if __name__ == "__main__":
    unittest.main()

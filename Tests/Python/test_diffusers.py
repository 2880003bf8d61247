"""Pruned folders in diffusers: loaded, trained, saved, and back in diffprune, with the same predictions everywhere."""

import json
import pathlib
import tempfile
import unittest

import diffusers
import torch
from diffusers import DiffusionPipeline
from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0
from safetensors.torch import load_file
from torch.sparse import _semi_structured_conversions as semi_structured

from diffprune import (
    BUNDLED,
    FIXTURES,
    SPARSITY,
    UNETS,
    bundled_inputs,
    deviation,
    fixture_inputs,
    predict,
    prune,
    pruned_fixtures,
    run,
)

diffusers.logging.set_verbosity_error()
diffusers.utils.logging.disable_progress_bar()

# Of the standard deviation of the prediction.
TOLERANCE = 2e-5
KEPT_WIDTHS = ("weight", "n:m")
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


def is_known(name):
    """Whether this version of diffusers builds the net of a fixture: 0.29 does not build all."""
    unet = UNETS / name / "unet"
    model = diffusers.UNet2DModel.from_config(json.loads((unet / "config.json").read_text()))
    stored = [load_file(file) for file in unet.glob("*.safetensors")]
    shapes = {key: tensor.shape for file in stored for key, tensor in file.items()}
    return shapes == {key: tensor.shape for key, tensor in model.state_dict().items()}


KNOWN = list(filter(is_known, FIXTURES))


def load(folder, **options):
    return DiffusionPipeline.from_pretrained(folder, trust_remote_code=True, **options)


def matrices(unet):
    """The weights of convolutions and linear layers."""
    return [module.weight for module in unet.modules() if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear))]


class PrunedFolders(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.output = pathlib.Path(self.folder.name)

    def check(self, unet, folder, inputs):
        """diffusers predicts what diffprune predicts."""
        tensors = {key: torch.from_numpy(value) for key, value in inputs.items()}
        with torch.no_grad():
            theirs = unet.eval()(**tensors).sample.float().numpy()
        self.assertLess(deviation(predict(folder, inputs), theirs), TOLERANCE)

    def record(self, folder):
        """What `info` says of the pruning."""
        return json.loads(run("info", "--model", folder, "--json"))["pruning"]

    def test_every_block_type_at_every_granularity_and_back(self):
        for name, granularity, folder in pruned_fixtures(self.output, KNOWN):
            with self.subTest(unet=name, granularity=granularity):
                pipeline, inputs = load(folder), fixture_inputs(name)
                expected = "UNet2DModel" if granularity in KEPT_WIDTHS else "PrunedUNet2DModel"
                self.assertEqual(type(pipeline.unet).__name__, expected)
                self.check(pipeline.unet, folder, inputs)
                back = self.output / "back" / folder.parent.name
                pipeline.save_pretrained(back)
                self.assertEqual(deviation(predict(folder, inputs), predict(back, inputs)), 0)
                if granularity not in KEPT_WIDTHS:
                    self.assertEqual(self.record(back), self.record(folder))

    def test_most_fixtures_are_known(self):
        self.assertGreaterEqual(len(KNOWN), len(FIXTURES) if hasattr(diffusers, "AutoModel") else len(FIXTURES) // 3)

    def test_dense_there_and_back(self):
        for name in KNOWN:
            with self.subTest(unet=name):
                inputs, back = fixture_inputs(name), self.output / name
                pipeline = DiffusionPipeline.from_pretrained(UNETS / name)
                self.check(pipeline.unet, UNETS / name, inputs)
                pipeline.save_pretrained(back)
                self.assertEqual(deviation(predict(UNETS / name, inputs), predict(back, inputs)), 0)

    def test_levels_need_no_code(self):
        pruned = 0
        for name in KNOWN:
            with self.subTest(unet=name):
                folder = self.prune_by_level(UNETS / name, name)
                if folder is None:
                    continue
                pruned += 1
                configuration = json.loads((folder / "unet/config.json").read_text())
                self.assertNotIn("pruning", configuration)
                unet = DiffusionPipeline.from_pretrained(folder).unet
                self.assertIs(type(unet), diffusers.UNet2DModel)
                self.check(unet, folder, fixture_inputs(name))
        self.assertGreater(pruned, len(KNOWN) // 3)

    def test_levels_trained_and_back(self):
        folder = self.prune_by_level(BUNDLED, "level")
        unet = diffusers.UNet2DModel.from_pretrained(folder / "unet")
        self.check(unet, folder, bundled_inputs())
        self.train(unet)
        unet.save_pretrained(self.output / "back/unet")
        self.check(unet, self.output / "back", bundled_inputs())

    def prune_by_level(self, model, name):
        """The folder, pruned to what can be had of a half; nothing where the least is more, or widths cannot change."""
        for sparsity in (0.5, 0.3, 0.1):
            try:
                return prune(model, self.output / f"{name}-level-{sparsity}", "level", sparsity)
            except RuntimeError as error:
                self.assertIn("level", str(error))
        return None

    def test_any_attention_processor(self):
        for granularity in ("channel", "head", "regular"):
            folder = prune(BUNDLED, self.output / granularity, granularity)
            unet = load(folder).unet
            for processor in (AttnProcessor(), AttnProcessor2_0()):
                with self.subTest(granularity=granularity, processor=type(processor).__name__):
                    for module in unet.modules():
                        if hasattr(module, "set_processor"):
                            module.set_processor(processor)
                    self.check(unet, folder, bundled_inputs())

    def test_traced(self):
        for granularity in ("channel", "regular"):
            with self.subTest(granularity=granularity):
                folder = prune(BUNDLED, self.output / granularity, granularity)
                unet, inputs = load(folder).unet.eval(), bundled_inputs()
                unet.forward = lambda *given, of=unet.forward: of(*given, return_dict=False)
                tensors = tuple(torch.from_numpy(value) for value in inputs.values())
                with torch.no_grad():
                    traced = torch.jit.trace(unet, tensors)
                    self.assertLess(deviation(predict(folder, inputs), traced(*tensors)[0].numpy()), TOLERANCE)

    def test_trained_saved_and_back(self):
        for granularity in ("channel", "regular"):
            with self.subTest(granularity=granularity):
                folder = prune(BUNDLED, self.output / granularity, granularity)
                pipeline = load(folder)
                self.train(pipeline.unet)
                for dtype in (torch.float32, torch.float16, torch.bfloat16):
                    back = self.output / f"{granularity}-{dtype}"
                    pipeline.to(dtype).save_pretrained(back)
                    self.assertEqual(self.record(back), self.record(folder))
                    self.check(load(back).unet.float(), back, bundled_inputs())
                    pipeline.to(torch.float32)
                evaluation = self.output / f"{granularity}-evaluation"
                run(
                    *("evaluate", "--dense", BUNDLED, "--pruned", self.output / f"{granularity}-torch.float32"),
                    *("--count", 2, "--steps", 2, "--output", evaluation),
                )
                pruning = json.loads((evaluation / "metrics.json").read_text())["pruning"]
                self.assertEqual((pruning["method"], pruning["granularity"]), ("random", granularity))

    def test_pruned_again_after_training(self):
        first = prune(BUNDLED, self.output / "first", "channel", 0.2)
        pipeline = load(first)
        self.train(pipeline.unet)
        pipeline.save_pretrained(self.output / "trained")
        second = prune(self.output / "trained", self.output / "second", "channel", 0.2)
        unet = load(second).unet
        self.check(unet, second, bundled_inputs())
        self.assertLess(sum(p.numel() for p in unet.parameters()), sum(p.numel() for p in pipeline.unet.parameters()))
        self.assertEqual(len(json.loads((second / "pruning.json").read_text())["history"]), 1)

    def test_half_precision(self):
        for dtype in (torch.float16, torch.bfloat16):
            with self.subTest(dtype=dtype):
                name = str(dtype).removeprefix("torch.")
                folder = prune(BUNDLED, self.output / name, "channel", None, "--dtype", name)
                self.assertEqual({tensor.dtype for tensor in load_file(folder / WEIGHTS).values()}, {dtype})
                self.check(load(folder).unet.float(), folder, bundled_inputs())
                pipeline = load(folder, torch_dtype=dtype)
                self.assertEqual(pipeline.unet.dtype, dtype)
                pipeline.save_pretrained(self.output / f"{name}-back")
                inputs = bundled_inputs()
                self.assertEqual(deviation(predict(folder, inputs), predict(self.output / f"{name}-back", inputs)), 0)

    def test_the_unet_alone(self):
        folder = prune(BUNDLED, self.output / "alone", "channel")
        kind = type(load(folder).unet)
        self.check(kind.from_pretrained(folder / "unet"), folder, bundled_inputs())
        if hasattr(diffusers, "AutoModel"):
            unet = diffusers.AutoModel.from_pretrained(str(folder / "unet"), trust_remote_code=True)
            self.check(unet, folder, bundled_inputs())

    def test_single_weights_stay_in_a_plain_folder(self):
        folder = prune(BUNDLED, self.output / "weights", "weight")
        unet = DiffusionPipeline.from_pretrained(folder).unet
        self.assertEqual(type(unet).__name__, "UNet2DModel")
        self.check(unet, folder, bundled_inputs())
        weights = matrices(unet)
        zeros = sum((weight == 0).sum().item() for weight in weights) / sum(weight.numel() for weight in weights)
        self.assertAlmostEqual(zeros, SPARSITY["weight"], places=3)

    def test_two_of_four_along_the_input_channels(self):
        folder = prune(BUNDLED, self.output / "pattern", "n:m")
        compressed = 0
        for weight in matrices(DiffusionPipeline.from_pretrained(folder).unet):
            # A matrix for each tap of a kernel, as NVIDIA's ASP and TensorRT look at convolutions.
            taps = weight.detach().reshape(*weight.shape[:2], -1).permute(2, 0, 1)
            whole = taps[..., : taps.shape[2] // 4 * 4]
            self.assertTrue(((whole != 0).unflatten(2, (-1, 4)).sum(3) <= 2).all())
            if taps.shape[1] % 32 or taps.shape[2] % 32:
                continue
            # What PyTorch makes of such matrices for sparse tensor cores loses nothing.
            for tap in taps.half():
                packed, places = semi_structured.sparse_semi_structured_from_dense_cutlass(tap.contiguous())
                back = semi_structured.sparse_semi_structured_to_dense_cutlass(packed, places)
                self.assertTrue(torch.equal(back, tap))
            compressed += 1
        self.assertGreater(compressed, 10)

    def train(self, unet):
        torch.manual_seed(0)
        unet.train()
        optimizer = torch.optim.AdamW(unet.parameters(), lr=1e-3)
        losses = []
        for _ in range(5):
            sample = torch.randn(2, 1, 32, 32)
            loss = (unet(sample, torch.tensor([10, 500])).sample - sample).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        self.assertLess(losses[-1], losses[0])


if __name__ == "__main__":
    unittest.main()

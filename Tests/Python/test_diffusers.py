"""Pruned folders in diffusers: loaded, trained, saved, and back in diffprune, with the same predictions everywhere."""

import json
import pathlib
import tempfile
import unittest

import diffusers
import torch
from diffprune import ROOT, UNETS, fixture_inputs, predict, run
from diffusers import DiffusionPipeline

diffusers.logging.set_verbosity_error()
diffusers.utils.logging.disable_progress_bar()

# Of the standard deviation of the prediction.
TOLERANCE = 2e-5
SPARSITY = {"channel": 0.3, "block": 0.3, "head": 0.2, "aligned": 0.2, "regular": 0.3}


def load(folder):
    return DiffusionPipeline.from_pretrained(folder, trust_remote_code=True)


def deviation(unet, folder, inputs):
    """The largest difference of diffusers' prediction from ours, in standard deviations of ours."""
    ours = torch.from_numpy(predict(folder, inputs))
    tensors = {key: torch.from_numpy(value) for key, value in inputs.items()}
    with torch.no_grad():
        theirs = unet.eval()(**tensors).sample.float()
    return ((ours - theirs).abs().max() / ours.std()).item()


class PrunedFolders(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.output = pathlib.Path(self.folder.name)

    def prune(self, model, name, granularity, sparsity, *more):
        run(
            *("prune", "--model", model, "--method", "random", "--target", f"sparsity={sparsity}"),
            *("--finetune-steps", 0, "--set", f"pruning.granularity={granularity}"),
            *("--output", self.output / name, *more),
        )
        return self.output / name / "model"

    def test_every_block_type_at_every_granularity(self):
        for unet in sorted(path.name for path in UNETS.iterdir() if path.is_dir()):
            for granularity, sparsity in SPARSITY.items():
                with self.subTest(unet=unet, granularity=granularity):
                    try:
                        folder = self.prune(UNETS / unet, f"{unet}-{granularity}", granularity, sparsity)
                    except RuntimeError as error:
                        # Small nets have few widths with equal groups.
                        self.assertIn("cannot be reached", str(error))
                        continue
                    pruned = load(folder).unet
                    self.assertEqual(type(pruned).__name__, "PrunedUNet2DModel")
                    self.assertLess(deviation(pruned, folder, fixture_inputs(unet)), TOLERANCE)

    def test_levels_need_no_code(self):
        pruned = 0
        for unet in sorted(path.name for path in UNETS.iterdir() if path.is_dir()):
            with self.subTest(unet=unet):
                folder = self.prune_by_level(UNETS / unet, unet)
                if folder is None or not self.knows(UNETS / unet):
                    continue
                pruned += 1
                configuration = json.loads((folder / "unet/config.json").read_text())
                self.assertNotIn("pruning", configuration)
                model = DiffusionPipeline.from_pretrained(folder).unet
                self.assertIs(type(model), diffusers.UNet2DModel)
                self.assertLess(deviation(model, folder, fixture_inputs(unet)), TOLERANCE)
        self.assertGreater(pruned, 15)

    def test_levels_trained_and_back(self):
        folder = self.prune_by_level(ROOT / "Samples/models/fashion-unet", "level")
        unet = diffusers.UNet2DModel.from_pretrained(folder / "unet")
        self.assertLess(deviation(unet, folder, self.bundled_inputs()), TOLERANCE)
        self.train(unet)
        unet.save_pretrained(self.output / "back/unet")
        self.assertLess(deviation(unet, self.output / "back", self.bundled_inputs()), TOLERANCE)

    def knows(self, folder):
        """Whether this version of diffusers opens the dense model: older ones overlook some keys, and fail on it."""
        try:
            DiffusionPipeline.from_pretrained(folder)
        except (ValueError, RuntimeError):
            return False
        return True

    def prune_by_level(self, model, name):
        """The folder, pruned to what can be had of a half; nothing where the least is more."""
        for target in (0.5, 0.7, 0.9):
            try:
                return self.prune(model, f"{name}-{target}", "level", 1 - target)
            except RuntimeError as error:
                self.assertIn("cannot be reached by granularity 'level'", str(error))
        return None

    def test_any_attention_processor(self):
        from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0

        model = ROOT / "Samples/models/fashion-unet"
        inputs = self.bundled_inputs()
        for granularity in ("channel", "head", "regular"):
            folder = self.prune(model, granularity, granularity, 0.3)
            unet = load(folder).unet
            for processor in (AttnProcessor(), AttnProcessor2_0()):
                with self.subTest(granularity=granularity, processor=type(processor).__name__):
                    for module in unet.modules():
                        if hasattr(module, "set_processor"):
                            module.set_processor(processor)
                    self.assertLess(deviation(unet, folder, inputs), TOLERANCE)

    def test_trained_saved_and_back(self):
        for granularity in ("channel", "regular"):
            with self.subTest(granularity=granularity):
                folder = self.prune(ROOT / "Samples/models/fashion-unet", granularity, granularity, 0.3)
                pipeline = load(folder)
                self.train(pipeline.unet)
                for dtype in (torch.float32, torch.float16):
                    back = self.output / f"{granularity}-{dtype}"
                    pipeline.to(dtype).save_pretrained(back)
                    self.assertEqual(self.record(back), self.record(folder))
                    again = load(back).unet.float()
                    self.assertLess(deviation(again, back, self.bundled_inputs()), TOLERANCE)

    def test_pruned_again_after_training(self):
        first = self.prune(ROOT / "Samples/models/fashion-unet", "first", "channel", 0.2)
        pipeline = load(first)
        self.train(pipeline.unet)
        pipeline.save_pretrained(self.output / "trained")
        second = self.prune(self.output / "trained", "second", "channel", 0.2)
        unet = load(second).unet
        self.assertLess(deviation(unet, second, self.bundled_inputs()), TOLERANCE)
        self.assertLess(sum(p.numel() for p in unet.parameters()), sum(p.numel() for p in pipeline.unet.parameters()))

    def test_the_unet_alone(self):
        folder = self.prune(ROOT / "Samples/models/fashion-unet", "alone", "channel", 0.3)
        kind = type(load(folder).unet)
        unet = kind.from_pretrained(folder / "unet")
        self.assertLess(deviation(unet, folder, self.bundled_inputs()), TOLERANCE)
        if hasattr(diffusers, "AutoModel"):
            unet = diffusers.AutoModel.from_pretrained(folder / "unet", trust_remote_code=True)
            self.assertLess(deviation(unet, folder, self.bundled_inputs()), TOLERANCE)

    def test_single_weights_stay_in_a_plain_folder(self):
        folder = self.prune(ROOT / "Samples/models/fashion-unet", "weights", "weight", 0.5)
        unet = DiffusionPipeline.from_pretrained(folder).unet
        self.assertEqual(type(unet).__name__, "UNet2DModel")
        self.assertLess(deviation(unet, folder, self.bundled_inputs()), TOLERANCE)
        weights = [module.weight for module in unet.modules() if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear))]
        zeros = sum((weight == 0).sum().item() for weight in weights) / sum(weight.numel() for weight in weights)
        self.assertAlmostEqual(zeros, 0.5, places=3)

    def test_two_of_four(self):
        folder = self.prune(ROOT / "Samples/models/fashion-unet", "pattern", "n:m", 0.5)
        unet = DiffusionPipeline.from_pretrained(folder).unet
        for name, module in unet.named_modules():
            # Along the input, as sparse tensor cores and their users expect it.
            if isinstance(module, torch.nn.Linear) and module.in_features % 4 == 0:
                kept = (module.weight != 0).reshape(-1, 4).sum(1)
                self.assertLessEqual(kept.max().item(), 2, name)

    def bundled_inputs(self):
        generator = torch.Generator().manual_seed(5)
        sample = torch.randn(3, 1, 32, 32, generator=generator)
        return {"sample": sample.numpy(), "timestep": torch.tensor([3, 250, 990]).numpy()}

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

    def record(self, folder):
        """What `info` says of the pruning."""
        return json.loads(run("info", "--model", folder, "--json"))["pruning"]


if __name__ == "__main__":
    unittest.main()

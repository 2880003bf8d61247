"""The built program, as the tests of this folder call it."""

import os
import pathlib
import subprocess
import tempfile

import numpy as np
from safetensors.numpy import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("DIFFPRUNE", str(ROOT / ".build/release/diffprune"))
UNETS = ROOT / "Tests/Fixtures/unet"
BUNDLED = ROOT / "Samples/models/fashion-unet"
FIXTURES = sorted(path.name for path in UNETS.iterdir() if path.is_dir())

#: What leaves of small nets, by granularity: a share of channels or weights.
SPARSITY = {
    "channel": 0.3,
    "block": 0.3,
    "head": 0.2,
    "aligned": 0.2,
    "regular": 0.3,
    "layer": 0.3,
    "weight": 0.5,
    "n:m": 0.5,
}


def run(*arguments):
    """Runs the program; raises with its words where it fails."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout


def prune(model, output, granularity, sparsity=None, *more):
    """Prunes at random without fine-tuning; the folder of the pruned model."""
    run(
        *("prune", "--model", model, "--method", "random", "--finetune-steps", 0, "--output", output),
        *("--target", f"sparsity={sparsity or SPARSITY[granularity]}", "--set", f"pruning.granularity={granularity}"),
        *("--set", "pruning.block_size=2", "--set", "pruning.multiple=2", *more),
    )
    return output / "model"


def pruned_fixtures(output, names=FIXTURES):
    """The fixture's name, the granularity and the folder of every small net pruned at every granularity.

    Nets that have nothing to give up at one of them are left out: a few each, never most.
    """
    names = list(names)
    for granularity in SPARSITY:
        refused = []
        for name in names:
            try:
                folder = prune(UNETS / name, output / f"{name}-{granularity.replace(':', '')}", granularity)
            except RuntimeError as error:
                refused.append(f"{name}: {error}")
                continue
            yield name, granularity, folder
        if 2 * len(refused) > len(names):
            raise AssertionError(f"{granularity} is refused too often:\n" + "\n".join(refused))


def predict(model, inputs):
    """`predict` on arrays by name (`sample`, `timestep`, `class_labels`): the prediction as an array."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder, "in.safetensors"), pathlib.Path(folder, "out.safetensors")
        save_file(inputs, source)
        run("predict", "--model", model, "--input", source, "--output", target)
        return load_file(target)["prediction"]


def fixture_inputs(name):
    """What the fixture's model is to be called with."""
    tensors = load_file(UNETS / name / "io.safetensors")
    return {key: tensors[key] for key in ("sample", "timestep", "class_labels") if key in tensors}


def bundled_inputs():
    """The same for the bundled model."""
    sample = np.random.default_rng(5).standard_normal((3, 1, 32, 32), dtype=np.float32)
    return {"sample": sample, "timestep": np.array([3, 250, 990])}


def deviation(ours, theirs):
    """The largest difference of two predictions, in standard deviations of the first."""
    return np.abs(ours - theirs).max() / ours.std()

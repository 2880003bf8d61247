"""The built program, as the tests of this folder call it."""

import os
import pathlib
import subprocess
import tempfile

from safetensors.numpy import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("DIFFPRUNE", str(ROOT / ".build/release/diffprune"))
UNETS = ROOT / "Tests/Fixtures/unet"


def run(*arguments):
    """Runs the program; raises with its words where it fails."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout


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

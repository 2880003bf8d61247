"""Times a dense model and pruned ones in ONNX Runtime, OpenVINO, PyTorch (diffusers) and diffprune.

    python export_latency.py --diffprune .build/release/diffprune [--net NAME] [--json FILE] [--threads N] [--rounds N]

Needs torch (CPU), diffusers and Tests/Python/requirements.txt. The pruned models have half of the multiply-accumulates;
channels of the smallest weights leave, nothing is fine-tuned. Before anything is timed each runtime has to predict what
diffprune predicts.

A round is one turn of every model in every runtime, one after the other, the models of a runtime beside each other,
every second round backwards. A turn is as in compare_with_pytorch.py: an untimed run and as many timed ones as fit into
a twentieth of a second, of which the median counts. PyTorch takes a turn in both of its memory formats, of which each
model has the one with the smaller median. The tables have milliseconds of the dense model and, for each pruned one, the
median and quartiles over the rounds of its time divided by the dense one's in the same round.
"""

import argparse
import dataclasses
import json
import os
import platform
import statistics
import sys
import tempfile

import diffusers
import numpy as np
import onnxruntime
import openvino
import torch
from diffusers import DiffusionPipeline
from safetensors.torch import load_file, save_file

from compare_with_pytorch import machine
from measurements import Disagreement, OtherProcesses, Server, Turns, run, timed_runs
from nets import NETS
from pytorch_side import FORMATS

#: By name: granularity, and what widths are multiples of.
PRUNED = {
    "channel": ("channel", 1),
    "aligned 8": ("aligned", 8),
    "aligned 16": ("aligned", 16),
    "regular 8": ("regular", 8),
    "regular 16": ("regular", 16),
    "level": ("level", 1),
}
BATCHES = (1, 16)
#: Of the prediction's standard deviation.
TOLERANCE = 1e-4


@dataclasses.dataclass
class Model:
    """A model folder and its ONNX file."""

    name: str
    folder: str
    file: str
    macs: int

    @classmethod
    def export(cls, binary, name, folder, scratch):
        file = os.path.join(scratch, f"{name}.onnx")
        run([binary, "export", "--model", folder, "--format", "onnx", "--output", file])
        return cls(name, folder, file, json.loads(run([binary, "info", "--model", folder, "--json"]))["macs"])


def make_models(binary, net, scratch):
    """The dense model and those pruned from it; what cannot be reached is left out with a word."""
    dense = net.folder(scratch)
    models = [Model.export(binary, "dense", dense, scratch)]
    for name, (granularity, multiple) in PRUNED.items():
        output = os.path.join(scratch, name)
        command = [binary, "prune", "--model", dense, "--method", "magnitude", "--target", "macs=0.5"]
        command += ["--finetune-steps", "0", "--set", f"pruning.granularity={granularity}", "--output", output]
        command += ["--set", f"pruning.multiple={multiple}"] if multiple > 1 else []
        try:
            run(command)
        except Disagreement as error:
            print(f"{name}: left out, {error}", file=sys.stderr)
            continue
        models.append(Model.export(binary, name, os.path.join(output, "model"), scratch))
    return models


class Inputs:
    """One batch, the same for all."""

    def __init__(self, model, batch):
        with open(os.path.join(model.folder, "unet/config.json"), encoding="utf-8") as file:
            configuration = json.load(file)
        size = configuration["sample_size"]
        height, width = size if isinstance(size, list) else (size, size)
        stream = torch.Generator().manual_seed(0)
        self.sample = torch.randn(batch, configuration["in_channels"], height, width, generator=stream)
        self.timestep = torch.randint(0, 1000, (batch,), generator=stream)
        self.arrays = {"sample": self.sample.numpy(), "timestep": self.timestep.numpy()}


def onnx_runtime(model, inputs, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.file, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, inputs.arrays)[0]


def open_vino(model, inputs, threads):
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    core = openvino.Core()
    network = core.read_model(model.file)
    # As whoever deploys one batch size does it.
    network.reshape({name: array.shape for name, array in inputs.arrays.items()})
    compiled = core.compile_model(network, "CPU", settings)
    return lambda: compiled(inputs.arrays)[0]


def pytorch(model, inputs, memory_format):
    unet = DiffusionPipeline.from_pretrained(model.folder, trust_remote_code=True).unet.eval()
    unet = unet.to(memory_format=FORMATS[memory_format])
    sample = inputs.sample.to(memory_format=FORMATS[memory_format])

    def predict():
        with torch.inference_mode():
            return unet(sample, inputs.timestep).sample.numpy()

    return predict


class Sides:
    """Every model in every runtime at one batch size."""

    def __init__(self, models, servers, batch, threads):
        calls = {}
        for model in models:
            inputs = Inputs(model, batch)
            calls["ONNX Runtime", model.name] = onnx_runtime(model, inputs, threads)
            calls["OpenVINO", model.name] = open_vino(model, inputs, threads)
            for memory_format in FORMATS:
                calls[f"PyTorch {memory_format}", model.name] = pytorch(model, inputs, memory_format)
        self.calls = calls
        self.turns = {}
        for runtime in ("ONNX Runtime", "OpenVINO", *(f"PyTorch {name}" for name in FORMATS), "diffprune"):
            for model in models:
                key = runtime, model.name
                if runtime == "diffprune":
                    server = servers[model.name]
                    self.turns[key] = Turns(lambda count, of=server: of.milliseconds("forward", batch, count))
                else:
                    self.turns[key] = Turns(timed_runs(calls[key]))

    def check(self, binary, models, batch, scratch):
        """All runtimes predict the same from the same input."""
        for model in models:
            source, target = (os.path.join(scratch, name) for name in ("in.safetensors", "out.safetensors"))
            inputs = Inputs(model, batch)
            save_file({"sample": inputs.sample, "timestep": inputs.timestep}, source)
            run([binary, "predict", "--model", model.folder, "--input", source, "--output", target, "--quiet"])
            ours = load_file(target)["prediction"].numpy()
            for (runtime, name), call in self.calls.items():
                error = np.abs(call() - ours).max() / ours.std() if name == model.name else 0
                if not error <= TOLERANCE:
                    raise Disagreement(f"{runtime}, {name}: off by {error:.1e} of a standard deviation")

    def measure(self, rounds, others):
        """Milliseconds by side, a value a round, and the cores that others kept busy meanwhile."""
        times = {key: [] for key in self.turns}
        others.restart()
        for number in range(rounds):
            for key in list(self.turns) if number % 2 == 0 else list(reversed(self.turns)):
                times[key].append(self.turns[key].milliseconds())
        return times, others.cores()


def rows(times, models):
    """By runtime: milliseconds of the dense model, and the quartiles of each ratio to it."""
    times = dict(times)
    for model in models:
        formats = [times.pop((f"PyTorch {name}", model.name)) for name in FORMATS]
        times["PyTorch", model.name] = min(formats, key=statistics.median)
    result = {}
    for runtime in ("ONNX Runtime", "OpenVINO", "PyTorch", "diffprune"):
        dense = times[runtime, "dense"]
        ratios = {}
        for model in models[1:]:
            values = [a / b for a, b in zip(times[runtime, model.name], dense, strict=True)]
            ratios[model.name] = statistics.quantiles(values, n=4, method="inclusive")
        result[runtime] = {"dense_ms": statistics.median(dense), "ratios": ratios}
    return result


def markdown(results, models):
    names = [model.name for model in models[1:]]
    lines = [["runtime", "batch", "dense", *names], ["---"] * (3 + len(names))]
    for batch, by_runtime in results.items():
        for runtime, row in by_runtime.items():
            cells = [f"× {row['ratios'][name][1]:.2f} ({row['ratios'][name][0]:.2f} – {row['ratios'][name][2]:.2f})"
                     for name in names]
            lines.append([runtime, str(batch), f"{row['dense_ms']:.3g} ms", *cells])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--diffprune", required=True, metavar="BINARY", help="the built program")
    parser.add_argument("--net", choices=[net.name for net in NETS], default=NETS[0].name, help="default: the bundled")
    parser.add_argument("--json", metavar="FILE", help="write everything measured to a file")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2, help="threads of each runtime (default: 2)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    about = machine() | {
        "net": arguments.net,
        "onnxruntime": onnxruntime.__version__,
        "openvino": openvino.__version__,
        "torch": torch.__version__,
        "diffusers": diffusers.__version__,
        "python": platform.python_version(),
        "threads": arguments.threads,
        "rounds": arguments.rounds,
    }
    net = next(net for net in NETS if net.name == arguments.net)
    results, raw, others = {}, [], {}
    with tempfile.TemporaryDirectory(prefix="diffprune-export-") as scratch:
        models = make_models(arguments.diffprune, net, scratch)
        for batch in BATCHES:
            servers = {model.name: Server(arguments.diffprune, model.folder, arguments.threads) for model in models}
            try:
                sides = Sides(models, servers, batch, arguments.threads)
                sides.check(arguments.diffprune, models, batch, scratch)
                load = OtherProcesses(*(server.process for server in servers.values()))
                times, others[batch] = sides.measure(arguments.rounds, load)
            finally:
                for server in servers.values():
                    server.close()
            results[batch] = rows(times, models)
            raw += [
                {"batch": batch, "runtime": runtime, "model": model, "milliseconds": values}
                for (runtime, model), values in times.items()
            ]
    about |= {"macs": {model.name: model.macs / models[0].macs for model in models}, "others": others}
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    print(markdown(results, models))
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"machine": about, "turns": raw}, file, indent=2)
            file.write("\n")


if __name__ == "__main__":
    try:
        main()
    except Disagreement as error:
        sys.exit(f"error: {error}")

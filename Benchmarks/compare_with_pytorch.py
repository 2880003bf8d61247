"""Times PyTorch eager on a diffusers model folder: the forward pass and a training step.

    python compare_with_pytorch.py MODEL_FOLDER [--batch 1 16] [--runs 30] [--threads 2]

Prints one JSON object a line: {"what", "batch", "median_ms", "min_ms", "max_ms", "memory_format"}. Both memory formats
are timed and the one with the smaller median is reported, so that PyTorch is shown at its best. A training step is
zero_grad, forward, mean squared error, backward and Adam (fused); batches are prepared beforehand and no moving average
is kept. Run it on an otherwise idle machine; `uptime` before and after tells.
"""

import argparse
import json
import statistics
import time

import torch
from diffusers import UNet2DModel

FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def load(model_folder, memory_format):
    return UNet2DModel.from_pretrained(model_folder, subfolder="unet").to(memory_format=memory_format)


def inputs_for(model, batch, memory_format):
    """(noisy images, timesteps, target noise), seeded."""
    stream = torch.Generator().manual_seed(0)
    size = model.config.sample_size
    height, width = size if isinstance(size, (tuple, list)) else (size, size)
    sample = torch.randn(batch, model.config.in_channels, height, width, generator=stream)
    target = torch.randn(batch, model.config.out_channels, height, width, generator=stream)
    timestep = torch.randint(0, 1000, (batch,), generator=stream)
    return sample.to(memory_format=memory_format), timestep, target.to(memory_format=memory_format)


def milliseconds(work, runs):
    """Wall times of `runs` calls, after a tenth as many (at least three) to warm up."""
    for _ in range(max(3, runs // 10)):
        work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return times


def best_format(what, batch, prepare, runs):
    """Times `prepare(memory_format)`'s work in every memory format and prints the faster one's figures."""
    timings = {name: milliseconds(prepare(memory_format), runs) for name, memory_format in FORMATS.items()}
    name, times = min(timings.items(), key=lambda item: statistics.median(item[1]))
    result = {
        "what": what,
        "batch": batch,
        "median_ms": round(statistics.median(times), 3),
        "min_ms": round(min(times), 3),
        "max_ms": round(max(times), 3),
        "memory_format": name,
    }
    print(json.dumps(result), flush=True)
    return result


def time_forward(model_folder, batch, runs):
    """One noise prediction of a batch, without gradients."""

    def prepare(memory_format):
        model = load(model_folder, memory_format).eval()
        sample, timestep, _ = inputs_for(model, batch, memory_format)

        def work():
            with torch.inference_mode():
                model(sample, timestep)

        return work

    return best_format("forward", batch, prepare, runs)


def time_training_step(model_folder, batch, runs):
    """zero_grad, forward, mean squared error, backward, fused Adam."""

    def prepare(memory_format):
        model = load(model_folder, memory_format).train()
        sample, timestep, target = inputs_for(model, batch, memory_format)
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)

        def work():
            optimiser.zero_grad(set_to_none=True)
            torch.nn.functional.mse_loss(model(sample, timestep).sample, target).backward()
            optimiser.step()

        return work

    return best_format("training_step", batch, prepare, runs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model_folder", help="a diffusers pipeline folder")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for batch in arguments.batch:
        time_forward(arguments.model_folder, batch, arguments.runs)
        time_training_step(arguments.model_folder, batch, arguments.runs)


if __name__ == "__main__":
    main()

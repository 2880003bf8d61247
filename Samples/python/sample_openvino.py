"""Draws with OpenVINO what `diffprune sample --model MODEL --noise NOISE --sampler ddim --steps 50` draws.

    diffprune export --model MODEL --format onnx --output model.onnx
    python sample_openvino.py model.onnx NOISE OUTPUT       # NOISE: safetensors with `initial` [N, C, H, W]
"""

import json
import pathlib
import sys

import numpy as np
import openvino
import torch
from diffusers import DDIMScheduler
from PIL import Image
from safetensors.torch import load_file

model, noise, output = sys.argv[1:]
network = openvino.Core().read_model(model)
scheduler = DDIMScheduler.from_config(json.loads(network.get_rt_info(["framework", "scheduler"]).value))
compiled = openvino.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
scheduler.set_timesteps(50)
images = load_file(noise)["initial"]
for timestep in scheduler.timesteps:
    inputs = {"sample": images.numpy(), "timestep": np.full(len(images), timestep)}
    prediction = torch.from_numpy(compiled(inputs)["prediction"])
    images = scheduler.step(prediction, timestep, images).prev_sample

pathlib.Path(output).mkdir(parents=True, exist_ok=True)
pixels = ((images.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
for number, picture in enumerate(pixels):
    Image.fromarray(picture.squeeze()).save(f"{output}/{number:06d}.png")

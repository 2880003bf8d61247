"""Draws with ONNX Runtime what `diffprune sample --model MODEL --noise NOISE --sampler ddim --steps 50` draws.

    diffprune export --model MODEL --format onnx --output model.onnx
    python sample_onnx.py model.onnx NOISE OUTPUT       # NOISE: safetensors with `initial` [N, C, H, W]
"""

import json
import pathlib
import sys

import numpy as np
import onnxruntime
import torch
from diffusers import DDIMScheduler
from PIL import Image
from safetensors.torch import load_file

model, noise, output = sys.argv[1:]
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
about = session.get_modelmeta().custom_metadata_map
scheduler = DDIMScheduler.from_config(json.loads(about["scheduler"]))
scheduler.set_timesteps(50)
images = load_file(noise)["initial"]
for timestep in scheduler.timesteps:
    inputs = {"sample": images.numpy(), "timestep": np.full(len(images), timestep)}
    prediction = torch.from_numpy(session.run(["prediction"], inputs)[0])
    images = scheduler.step(prediction, timestep, images).prev_sample

pathlib.Path(output).mkdir(parents=True, exist_ok=True)
pixels = ((images.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
for number, picture in enumerate(pixels):
    Image.fromarray(picture.squeeze()).save(f"{output}/{number:06d}.png")

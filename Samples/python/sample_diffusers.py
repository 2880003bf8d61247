"""Draws with diffusers what `diffprune sample --model MODEL --noise NOISE --sampler ddim --steps 50` draws.

    python sample_diffusers.py MODEL NOISE OUTPUT       # NOISE has `initial` [N, C, H, W]; NOISE may be made by:
    python -c "import torch, safetensors.torch as s; s.save_file({'initial': torch.randn(8, 1, 32, 32)}, 'noise.st')"
"""

import pathlib
import sys

import torch
from diffusers import DDIMScheduler, DiffusionPipeline
from PIL import Image
from safetensors.torch import load_file

model, noise, output = sys.argv[1:]
pipeline = DiffusionPipeline.from_pretrained(model, trust_remote_code=True)
scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
scheduler.set_timesteps(50)
images = load_file(noise)["initial"]
with torch.no_grad():
    for timestep in scheduler.timesteps:
        images = scheduler.step(pipeline.unet(images, timestep).sample, timestep, images).prev_sample

pathlib.Path(output).mkdir(parents=True, exist_ok=True)
pixels = ((images.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
for number, picture in enumerate(pixels):
    Image.fromarray(picture.squeeze()).save(f"{output}/{number:06d}.png")

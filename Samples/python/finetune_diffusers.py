"""Fine-tunes a pruned model in diffusers, on a GPU where there is one.

    python finetune_diffusers.py MODEL IMAGES OUTPUT [--steps 1000] [--batch 64] [--rate 2e-4]

MODEL is what `diffprune prune` left, IMAGES a folder of pictures, OUTPUT a new folder that diffprune reads.
"""

import argparse
import pathlib

import numpy as np
import torch
from diffusers import DiffusionPipeline
from PIL import Image

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
for name in ("model", "images", "output"):
    parser.add_argument(name)
parser.add_argument("--steps", type=int, default=1000)
parser.add_argument("--batch", type=int, default=64)
parser.add_argument("--rate", type=float, default=2e-4)
arguments = parser.parse_args()

device = "cuda" if torch.cuda.is_available() else "cpu"
pipeline = DiffusionPipeline.from_pretrained(arguments.model, trust_remote_code=True)
unet, scheduler = pipeline.unet.to(device).train(), pipeline.scheduler
size = unet.config.sample_size
height, width = (size, size) if isinstance(size, int) else size


def picture(path):
    image = Image.open(path).convert("L" if unet.config.in_channels == 1 else "RGB").resize((width, height))
    return torch.from_numpy(np.array(image)).view(height, width, -1).permute(2, 0, 1) / 127.5 - 1


paths = [path for path in pathlib.Path(arguments.images).rglob("*") if path.suffix.lower() in (".png", ".jpg", ".jpeg")]
images = torch.stack([picture(path) for path in sorted(paths)]).to(device)
optimizer = torch.optim.AdamW(unet.parameters(), lr=arguments.rate)
for step in range(1, arguments.steps + 1):
    clean = images[torch.randint(len(images), (arguments.batch,), device=device)]
    noise = torch.randn_like(clean)
    timesteps = torch.randint(scheduler.config.num_train_timesteps, (arguments.batch,), device=device)
    target = noise
    if scheduler.config.prediction_type == "sample":
        target = clean
    elif scheduler.config.prediction_type == "v_prediction":
        target = scheduler.get_velocity(clean, noise, timesteps)
    loss = torch.nn.functional.mse_loss(unet(scheduler.add_noise(clean, noise, timesteps), timesteps).sample, target)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(unet.parameters(), 1.0)
    optimizer.step()
    if step % 50 == 0:
        print(f"step {step} of {arguments.steps}: loss {loss.item():.4f}", flush=True)
pipeline.to("cpu").save_pretrained(arguments.output)

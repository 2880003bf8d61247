"""Makes `<sampler>-noise.safetensors` and `<sampler>-samples.safetensors`: what diffusers draws from given noise.

The model is ../unet/rgb, with the network and the schedule's arithmetic as diffusers has them (float32).
"""

import pathlib

import torch
from diffusers import DDIMScheduler, DDPMScheduler, UNet2DModel
from diffusers.schedulers import scheduling_ddpm
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
FOLDER = HERE.parent / "unet" / "rgb"
model = UNet2DModel.from_pretrained(FOLDER / "unet").eval()
shape = (3, model.config.in_channels, 8, 8)
queue = []
scheduling_ddpm.randn_tensor = lambda *_, **__: queue.pop(0)

for name, kind, steps in [("ddim", DDIMScheduler, 10), ("ddpm", DDPMScheduler, 6)]:
    stream = torch.Generator().manual_seed(steps)
    noise = {"initial": torch.randn(shape, generator=stream)}
    scheduler = kind.from_pretrained(FOLDER / "scheduler")
    if name == "ddpm":
        noise["step_noise"] = torch.randn((steps, *shape), generator=stream)
        queue[:] = list(noise["step_noise"])
    scheduler.set_timesteps(steps)
    sample = noise["initial"]
    with torch.no_grad():
        for timestep in scheduler.timesteps:
            sample = scheduler.step(model(sample, timestep).sample, timestep, sample).prev_sample
    save_file(noise, HERE / f"{name}-noise.safetensors")
    save_file({"samples": sample}, HERE / f"{name}-samples.safetensors")
    print(name, sample.shape, sample.std().item(), scheduler.timesteps.tolist(), len(queue))

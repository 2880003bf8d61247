"""Makes `ddpm-root`: a model folder as the first diffusers releases wrote it (google/ddpm-* still look like this).

Everything in the root, the configurations with the keys of that time only, and attention under its first names.
"""

import json
import pathlib
import shutil
import sys

import torch
from diffusers import DDPMPipeline
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "unet"))
from tiny_unet import bring_to_unit_scale, build, generator, predict  # noqa: E402

FIRST_KEYS = {
    *("act_fn", "attention_head_dim", "block_out_channels", "center_input_sample", "down_block_types"),
    *("downsample_padding", "flip_sin_to_cos", "freq_shift", "in_channels", "layers_per_block"),
    *("mid_block_scale_factor", "norm_eps", "norm_num_groups", "out_channels", "sample_size"),
    *("time_embedding_type", "up_block_types"),
}
FIRST_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n")


def first_name(name):
    for now, then in FIRST_NAMES.items():
        name = name.replace(f".{now}.", f".{then}.")
    return name


folder = HERE / "ddpm-root"
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir()
model = build(
    "ddpm-root",
    in_channels=3,
    out_channels=3,
    downsample_padding=0,
    flip_sin_to_cos=False,
    freq_shift=1,
    norm_eps=1e-6,
    down_block_types=("DownBlock2D", "AttnDownBlock2D"),
    up_block_types=("AttnUpBlock2D", "UpBlock2D"),
)
stream = generator("ddpm-root/inputs")
inputs = {"sample": torch.randn(3, 3, 8, 8, generator=stream), "timestep": torch.tensor([0, 37, 999])}
bring_to_unit_scale(model, *inputs.values())
prediction = predict(model, *inputs.values()).float()

names = {"_class_name": "UNet2DModel", "_diffusers_version": "0.0.4"}
write_json(folder / "config.json", {**{key: model.config[key] for key in FIRST_KEYS}, **names})
write_json(
    folder / "scheduler_config.json",
    {
        "_class_name": "DDPMScheduler",
        "_diffusers_version": "0.1.1",
        "beta_end": 0.02,
        "beta_schedule": "linear",
        "beta_start": 0.0001,
        "clip_sample": True,
        "num_train_timesteps": 1000,
        "timestep_values": None,
        "trained_betas": None,
        "variance_type": "fixed_large",
    },
)
write_json(
    folder / "model_index.json",
    {
        "_class_name": "DDPMPipeline",
        "_diffusers_version": "0.0.4",
        "scheduler": ["diffusers", "DDPMScheduler"],
        "unet": ["diffusers", "UNet2DModel"],
    },
)
weights = {first_name(name): tensor for name, tensor in model.state_dict().items()}
assert any("proj_attn" in name for name in weights)
save_file(weights, folder / "diffusion_pytorch_model.safetensors", metadata={"format": "pt"})
save_file({**inputs, "prediction": prediction}, folder / "io.safetensors")
for file in folder.glob("*.safetensors"):
    file.chmod(0o644)

# diffusers itself must read the folder and predict the same
loaded = DDPMPipeline.from_pretrained(folder).unet.eval()
assert torch.equal(predict(loaded, *inputs.values()).float(), prediction)
print("ddpm-root:", sum(file.stat().st_size for file in folder.iterdir()), "bytes")

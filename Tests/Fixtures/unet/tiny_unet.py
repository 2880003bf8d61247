"""Small diffusers U-Nets with every parameter randomised, shared by the fixture scripts."""

import logging
import warnings
import zlib

import torch
from diffusers import UNet2DModel

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
torch.set_num_threads(1)  # one thread: the same bits on every machine with the same kernels

DEFAULTS = dict(
    sample_size=8,
    in_channels=1,
    out_channels=1,
    block_out_channels=(4, 6),
    down_block_types=("DownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "UpBlock2D"),
    layers_per_block=1,
    norm_num_groups=2,
    attention_head_dim=None,
)


def generator(name):
    """A random stream that depends on the fixture's name alone, so adding a fixture leaves the others as they are."""
    return torch.Generator().manual_seed(zlib.crc32(name.encode()))


def randomise(model, stream):
    """Draws every parameter anew: nothing keeps its initial value, so no swapped or forgotten tensor can go unseen."""
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            noise = torch.randn(parameter.shape, generator=stream)
            is_norm = "norm" in name
            if is_norm and name.endswith("weight"):
                value = 1 + 0.3 * noise
            elif parameter.ndim == 1 and not name.startswith("time_proj"):
                value = 0.2 * noise
            elif "embedding.weight" in name or name.startswith("time_proj"):
                value = noise
            else:
                value = noise * (1.5 / parameter[0].numel()) ** 0.5
            parameter.copy_(value)


def build(name, **overrides):
    """A randomised model in evaluation mode; `overrides` are UNet2DModel's own arguments."""
    model = UNet2DModel(**{**DEFAULTS, **overrides})
    randomise(model, generator(name + "/weights"))
    return model.eval()


def predict(model, sample, timestep, class_labels=None):
    """The model's output computed in float64 (the time embedding stays in float32, as diffusers computes it)."""
    precise = UNet2DModel.from_config(model.config).double().eval()
    precise.load_state_dict({key: value.double() for key, value in model.state_dict().items()})
    if class_labels is not None and class_labels.is_floating_point():
        class_labels = class_labels.double()
    if model.config.class_embed_type == "timestep":  # diffusers casts the embedded timestep but not the embedded class
        precise.class_embedding.register_forward_pre_hook(lambda _, embedded: embedded[0].double())
    with torch.no_grad():
        return precise(sample.double(), timestep, class_labels).sample


def bring_to_unit_scale(model, *inputs):
    """Rescales the last convolution so that the predictions have unit standard deviation."""
    scale = 1 / predict(model, *inputs).std().item()
    with torch.no_grad():
        model.conv_out.weight.mul_(scale)
        model.conv_out.bias.mul_(scale)

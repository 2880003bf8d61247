"""The nets of the comparison, as diffusers pipelines."""

import dataclasses
import os

import torch
from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel

BUNDLED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Samples", "models", "fashion-unet")


@dataclasses.dataclass(frozen=True)
class Net:
    name: str
    #: What UNet2DModel is made from; None for the bundled model.
    configuration: dict | None

    def folder(self, scratch):
        """A pipeline folder of the net; seeded random weights go to one in `scratch`."""
        if self.configuration is None:
            return BUNDLED
        path = os.path.join(scratch, self.name)
        torch.manual_seed(0)
        DDPMPipeline(unet=UNet2DModel(**self.configuration), scheduler=DDPMScheduler()).save_pretrained(path)
        return path


NETS = [
    Net("fashion-unet", None),
    Net(
        "unet-32-64-64",
        {
            "sample_size": 32,
            "block_out_channels": (32, 64, 64),
            "layers_per_block": 2,
            "down_block_types": ("DownBlock2D",) * 3,
            "up_block_types": ("UpBlock2D",) * 3,
        },
    ),
    Net(
        "unet-64-128",
        {
            "sample_size": 32,
            "block_out_channels": (64, 128, 128, 128),
            "layers_per_block": 2,
            "down_block_types": ("DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
            "up_block_types": ("UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
        },
    ),
    # The configuration of google/ddpm-cifar10-32, 35.7 million parameters.
    Net(
        "ddpm-cifar10-32",
        {
            "sample_size": 32,
            "block_out_channels": (128, 256, 256, 256),
            "layers_per_block": 2,
            "down_block_types": ("DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
            "up_block_types": ("UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
            "attention_head_dim": None,
            "downsample_padding": 0,
            "flip_sin_to_cos": False,
            "freq_shift": 1,
            "norm_eps": 1e-6,
        },
    ),
]

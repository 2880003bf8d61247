"""Makes one folder a configuration: a diffusers pipeline folder and `io.safetensors` with its inputs and prediction.

Run from anywhere: `python make.py [name …]`. Each folder depends on its name and the table below only.
"""

import pathlib
import shutil
import sys

import torch
from diffusers import DDPMPipeline, DDPMScheduler
from safetensors.torch import save_file

from tiny_unet import bring_to_unit_scale, build, generator, predict

HERE = pathlib.Path(__file__).parent
TIMESTEPS = torch.tensor([0, 1, 37, 500, 999])
SIGMAS = torch.tensor([1, 2, 7, 37, 90])  # a Fourier model divides by the timestep, and takes its logarithm

DOWN, UP = "DownBlock2D", "UpBlock2D"
ATTN_DOWN, ATTN_UP = "AttnDownBlock2D", "AttnUpBlock2D"
SKIP_DOWN, SKIP_UP = "SkipDownBlock2D", "SkipUpBlock2D"
RES_DOWN, RES_UP = "ResnetDownsampleBlock2D", "ResnetUpsampleBlock2D"
INNER = dict(down_block_types=(DOWN, ATTN_DOWN), up_block_types=(ATTN_UP, UP))  # attention on the inner level only
OUTER = dict(down_block_types=(ATTN_DOWN, DOWN), up_block_types=(UP, ATTN_UP))  # … on the outer one, which resamples
BOTH = dict(down_block_types=(ATTN_DOWN, ATTN_DOWN), up_block_types=(ATTN_UP, ATTN_UP))
ONE = dict(block_out_channels=(4,), down_block_types=(DOWN,), up_block_types=(UP,))  # where levels are beside the point
# A time embedding of four frequencies
EIGHT = {**ONE, "block_out_channels": (8,), "time_embedding_dim": 8, "mid_block_type": None}
THREE = dict(down_block_types=(DOWN,) * 3, up_block_types=(UP,) * 3)

# name: UNet2DModel arguments beyond tiny_unet.DEFAULTS
CONFIGURATIONS = {
    # Structure
    "plain": dict(dropout=0.1),
    "rgb": dict(in_channels=3, out_channels=3, **ONE),
    "learned-variance": dict(in_channels=3, out_channels=6, **ONE),
    "one-level": dict(block_out_channels=(8,), down_block_types=(DOWN,), up_block_types=(UP,), mid_block_type=None),
    "three-levels": dict(block_out_channels=(4, 2, 4), mid_block_type=None, **THREE),
    "layers-2": dict(block_out_channels=(4, 6), layers_per_block=2, mid_block_type=None),
    "layers-3": dict(block_out_channels=(4, 4), layers_per_block=3, mid_block_type=None, time_embedding_dim=8),
    "widths-shrinking": dict(block_out_channels=(6, 4), mid_block_type=None),
    "widths-odd": dict(block_out_channels=(3, 6), norm_num_groups=3),
    "groups-straddle-skip": dict(block_out_channels=(4, 8), norm_num_groups=4, mid_block_type=None),
    "size-12": dict(block_out_channels=(4, 4, 4), sample_size=12, mid_block_type=None, time_embedding_dim=8, **THREE),
    "size-8x12": dict(sample_size=(8, 12), block_out_channels=(4, 4), mid_block_type=None, **BOTH),
    "padding-0": dict(downsample_padding=0, sample_size=12, mid_block_type=None),
    "unetres-prefix": dict(
        block_out_channels=(4, 4), mid_block_type=None,
        down_block_types=("UNetResDownBlock2D", "UNetResAttnDownBlock2D"),
        up_block_types=("UNetResAttnUpBlock2D", "UNetResUpBlock2D"),
    ),
    # As google/ddpm-cifar10-32 is configured
    "ddpm-like": dict(
        in_channels=3, out_channels=3, downsample_padding=0, flip_sin_to_cos=False, freq_shift=1, norm_eps=1e-6,
        **INNER,
    ),
    # Attention
    "attention-head-4": dict(block_out_channels=(4, 8), attention_head_dim=4, mid_block_type=None, **BOTH),
    "attention-head-8": dict(
        block_out_channels=(8,), attention_head_dim=8, norm_num_groups=4, mid_block_type=None, time_embedding_dim=8,
        down_block_types=(ATTN_DOWN,), up_block_types=(ATTN_UP,),
    ),
    "attention-head-2": dict(block_out_channels=(4, 4), attention_head_dim=2, time_embedding_dim=8, **INNER),
    # heads = C // head width: 6 // 4 = 1, so q, k and v are 4 wide and to_out leads back to 6
    "attention-head-indivisible": dict(attention_head_dim=4, mid_block_type=None, **INNER),
    "attention-mid-groups": dict(attn_norm_num_groups=4, **ONE),
    # Resampling by ResNet blocks
    "resample-resnet": dict(downsample_type="resnet", upsample_type="resnet", mid_block_type=None, **OUTER),
    "resnet-blocks": dict(mid_block_type=None, down_block_types=(RES_DOWN, RES_DOWN), up_block_types=(RES_UP, RES_UP)),
    "resnet-blocks-scale-shift": dict(
        block_out_channels=(4, 4), resnet_time_scale_shift="scale_shift",
        down_block_types=(RES_DOWN, ATTN_DOWN), up_block_types=(ATTN_UP, RES_UP),
    ),
    # Time and class
    "time-flip-shift-1": dict(flip_sin_to_cos=True, freq_shift=1, **EIGHT),
    "time-no-flip-shift-0": dict(flip_sin_to_cos=False, freq_shift=0, **EIGHT),
    "time-float": dict(**EIGHT),
    "time-fourier": dict(time_embedding_type="fourier", **ONE),
    "time-fourier-float": dict(time_embedding_type="fourier", flip_sin_to_cos=False, **ONE),
    "time-learned": dict(time_embedding_type="learned", num_train_timesteps=1000, **ONE),
    "time-width": dict(time_embedding_dim=10, **ONE),
    "time-scale-shift": dict(resnet_time_scale_shift="scale_shift", block_out_channels=(4, 4), **INNER),
    "time-scale-shift-mid-groups": dict(resnet_time_scale_shift="scale_shift", attn_norm_num_groups=4, **ONE),
    "class-embedding": dict(num_class_embeds=10, **ONE),
    "class-timestep": dict(class_embed_type="timestep", **ONE),
    "class-identity": dict(class_embed_type="identity", **ONE),
    # Middle, ends, activations
    "center-input": dict(center_input_sample=True, **ONE),
    "mid-none": dict(mid_block_type=None, **INNER),
    "mid-no-attention": dict(add_attention=False, **ONE),
    "mid-scale": dict(mid_block_scale_factor=1.4, **ONE),
    "activation-gelu": dict(act_fn="gelu", **ONE),
    "activation-mish": dict(act_fn="mish", **ONE),
    "activation-relu": dict(act_fn="relu", **ONE),
    "norm-eps": dict(norm_eps=0.05, **ONE),
    # Storage
    "float16": dict(**ONE),
    "bfloat16": dict(act_fn="swish", **ONE),
    "sharded": dict(**ONE),
    # Skip pyramid (FIR resampling), as in score-based NCSN++ models
    "skip-pyramid": dict(
        in_channels=3, out_channels=3, block_out_channels=(4, 4), time_embedding_type="fourier", mid_block_type=None,
        down_block_types=(SKIP_DOWN, SKIP_DOWN), up_block_types=(SKIP_UP, SKIP_UP),
    ),
    "skip-pyramid-deep": dict(
        in_channels=3, out_channels=3, block_out_channels=(4, 8, 12), norm_num_groups=None, center_input_sample=True,
        time_embedding_dim=8, down_block_types=(SKIP_DOWN,) * 3, up_block_types=(SKIP_UP,) * 3,
    ),
    # Plain blocks where no image is read or drawn
    "skip-pyramid-mixed": dict(
        in_channels=3, out_channels=3, block_out_channels=(6, 10), sample_size=(8, 12), mid_block_type=None,
        resnet_time_scale_shift="scale_shift", act_fn="relu", time_embedding_dim=8,
        down_block_types=(SKIP_DOWN, DOWN), up_block_types=(UP, SKIP_UP),
    ),
    # Attention there has 32 groups, so 32 channels are the least
    "skip-attention": dict(
        block_out_channels=(32,), attention_head_dim=8, mid_block_type=None, time_embedding_dim=8, sample_size=6,
        down_block_types=("AttnSkipDownBlock2D",), up_block_types=("AttnSkipUpBlock2D",),
    ),
}
DTYPES = {
    "float16": torch.float16, "bfloat16": torch.bfloat16, "skip-attention": torch.float16,
    "skip-pyramid-deep": torch.bfloat16,
}


def inputs_for(name, model):
    """Random images with one timestep each, and class labels where the model takes them."""
    stream = generator(name + "/inputs")
    config = model.config
    timestep = SIGMAS if config.time_embedding_type == "fourier" else TIMESTEPS
    if name.endswith("-float"):
        timestep = timestep + torch.tensor([0.25, 0.5, 0.625, 0.75, -0.5])
    size = config.sample_size
    height, width = size if isinstance(size, (tuple, list)) else (size, size)
    count = len(timestep) if config.in_channels * height * width <= 144 else 3
    timestep = timestep[-count:]
    inputs = {"sample": torch.randn(count, config.in_channels, height, width, generator=stream), "timestep": timestep}
    if config.num_class_embeds is not None:
        inputs["class_labels"] = torch.randint(0, config.num_class_embeds, (count,), generator=stream)
    elif config.class_embed_type == "timestep":
        inputs["class_labels"] = torch.tensor([0, 3, 9, 100, 7])[:count]
    elif config.class_embed_type == "identity":
        inputs["class_labels"] = torch.randn(count, 4 * config.block_out_channels[0], generator=stream)
    return inputs


def make(name, overrides):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    model = build(name, **overrides)
    inputs = inputs_for(name, model)
    bring_to_unit_scale(model, *inputs.values())
    model = model.to(DTYPES.get(name, torch.float32))  # the prediction below is then that of the rounded weights

    prediction = predict(model, *inputs.values())
    with torch.no_grad():
        single = model.float()(*inputs.values()).sample.double()
    model = model.to(DTYPES.get(name, torch.float32))
    deviation = (single - prediction).abs().max().item()
    assert prediction.isfinite().all() and deviation < 1e-4, (name, deviation)

    pipeline = DDPMPipeline(unet=model, scheduler=DDPMScheduler())
    if name == "sharded":
        pipeline.save_pretrained(folder, max_shard_size="3KB")
    else:
        pipeline.save_pretrained(folder)
    save_file({**inputs, "prediction": prediction.float()}, folder / "io.safetensors")
    for file in folder.rglob("*.safetensors"):
        file.chmod(0o644)

    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(f"{name:30} {size / 1000:7.1f} kB   float32 − float64: {deviation:.1e}   std {prediction.std():.2f}")
    return size


if __name__ == "__main__":
    names = sys.argv[1:] or CONFIGURATIONS
    print(f"total {sum(make(name, CONFIGURATIONS[name]) for name in names) / 1000:.0f} kB")

"""A U-Net pruned by diffprune, for PyTorch: in diffusers, or with torch and safetensors alone.

    pipeline = DiffusionPipeline.from_pretrained(FOLDER, trust_remote_code=True)
    unet = PrunedUNet2DModel.from_pretrained(FOLDER + "/unet")      # with this file on the path
    unet = load(FOLDER)                                             # without diffusers; dense folders too

The first two are diffusers' UNet2DModel with fewer channels, the last is the same net in plain torch. `pruning` in
config.json says which channels are left: `axes` has each channel axis with its width before pruning and the original
numbers of its channels, `tensors` the axes that each dimension of a tensor runs over. All train as any model;
save_pretrained, and save(unet, FOLDER) for the plain one, write what loads here and in diffprune.
"""

import inspect
import json
import math
import os
import pathlib
import shutil
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

try:
    from diffusers import UNet2DModel
except ImportError:
    UNet2DModel = None


class PrunedGroupNorm(nn.Module):
    """Group normalisation that leaves each channel in the group of its original number; groups may be unequal."""

    def __init__(self, groups, eps):
        """`groups` has the group of each channel, ascending."""
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(len(groups)))
        self.bias = nn.Parameter(torch.zeros(len(groups)))
        numbers = sorted(set(groups))
        members = torch.tensor([[float(group == number) for number in numbers] for group in groups])
        # Rows of channels @ averaging: each channel's row of means over its group.
        self.register_buffer("averaging", members / members.sum(0) @ members.T, persistent=False)

    def forward(self, x):
        flat = x.flatten(2).float()
        averaging = self.averaging.float()
        centred = flat - (flat.mean(2) @ averaging).unsqueeze(2)
        deviation = torch.sqrt(centred.square().mean(2) @ averaging + self.eps).unsqueeze(2)
        shape = (1, -1) + (1,) * (x.dim() - 2)
        normalized = (centred / deviation).view(x.shape).to(x.dtype)
        return normalized * self.weight.view(shape) + self.bias.view(shape)


class PrunedProjection(nn.Module):
    """A linear layer to (dimension 0) or from (1) attention's heads, of which unequally many channels may be left.

    Its weights are put into heads of one width, with zeros beside them: an attention processor sees an ordinary layer.
    """

    def __init__(self, layer, shape, dimension, places, width, scale=1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(shape))
        self.bias = None if layer.bias is None else nn.Parameter(torch.empty(shape[0]))
        self.register_buffer("places", torch.tensor(places), persistent=False)
        self.dimension, self.width, self.scale = dimension, width, scale

    def padded(self, tensor, dimension):
        shape = list(tensor.shape)
        shape[dimension] = self.width
        return tensor.new_zeros(shape).index_copy(dimension, self.places, tensor) * self.scale

    def forward(self, x):
        weight, bias = self.padded(self.weight, self.dimension), self.bias
        if bias is not None and self.dimension == 0:
            bias = self.padded(bias, 0)
        return F.linear(x, weight, bias)


class NoChannels(nn.Module):
    """A layer of which no output is left."""

    def forward(self, x):
        return x[:, :0]


class BiasAlone(nn.Module):
    """A layer of which no input is left."""

    def __init__(self, bias):
        super().__init__()
        self.bias = nn.Parameter(torch.empty_like(bias))

    def forward(self, x):
        return self.bias.view(1, -1, 1, 1).expand(x.shape[0], -1, *x.shape[2:])


class KeptChannels(nn.Module):
    """Takes the channels left of vectors that a caller gives for all."""

    def __init__(self, kept):
        super().__init__()
        self.register_buffer("kept", torch.tensor(kept), persistent=False)

    def forward(self, x):
        return x.index_select(-1, self.kept)


class NoAttention(nn.Module):
    """An attention block of which no head is left: what its output layer adds without input."""

    def __init__(self, attention):
        super().__init__()
        self.to_out = nn.ModuleList([BiasAlone(attention.to_out[0].bias)])
        self.residual_connection = attention.residual_connection
        self.rescale_output_factor = attention.rescale_output_factor

    def forward(self, hidden_states, temb=None, **_):
        output = self.to_out[0](hidden_states)
        return (output + hidden_states if self.residual_connection else output) / self.rescale_output_factor


class Pruning:
    """What `pruning` in config.json says, carried out on a dense model."""

    def __init__(self, pruning):
        self.tensors = pruning["tensors"]
        self.width = {name: axis["width"] for name, axis in pruning["axes"].items()}
        self.kept = {name: numbers(axis["kept"]) for name, axis in pruning["axes"].items()}

    def shape(self, tensor, dense):
        """The shape of a tensor that has the shape `dense` before pruning."""
        axes = self.tensors[tensor]
        return [sum(len(self.kept[a]) for a in axes[i]) if axes[i] else dense[i] for i in range(len(dense))]

    def positions(self, axes):
        """Original positions of the channels left, along a concatenation of axes, and its original width."""
        positions, offset = [], 0
        for axis in axes:
            positions += [offset + number for number in self.kept[axis]]
            offset += self.width[axis]
        return positions, offset

    def apply_to(self, model):
        # Attention first: its parts are replaced by layers that are not seen again below.
        for name, module in list(model.named_modules()):
            if hasattr(module, "to_q"):
                replace(model, name, self.attention(name, module))
        for name, module in list(model.named_modules()):
            if isinstance(module, (nn.Conv2d, nn.Linear, nn.Embedding, nn.GroupNorm)):
                replace(model, name, self.layer(name, module))
        if isinstance(model.class_embedding, nn.Identity):
            model.class_embedding = KeptChannels(self.kept["time_embedding.out"])
        for module in model.modules():
            # What up- and downsampling without a convolution of its own expects is that of the layer before.
            if hasattr(module, "norm1") and hasattr(module.norm1, "weight"):
                for resampler in (getattr(module, "downsample", None), getattr(module, "upsample", None)):
                    if hasattr(resampler, "channels"):
                        resampler.channels = len(module.norm1.weight)
            elif hasattr(module, "channels") and isinstance(getattr(module, "conv", None), nn.Conv2d):
                module.channels = module.conv.weight.shape[1]

    def layer(self, name, module):
        weight, bias = name + ".weight", name + ".bias"
        if weight not in self.tensors:
            if isinstance(module, nn.GroupNorm):
                return nn.Identity()
            return BiasAlone(module.bias) if bias in self.tensors else NoChannels()
        if isinstance(module, nn.GroupNorm):
            return self.normalization(self.tensors[weight][0], module)
        module.weight = nn.Parameter(torch.empty(self.shape(weight, module.weight.shape)))
        if bias in self.tensors:
            module.bias = nn.Parameter(torch.empty(self.shape(bias, module.bias.shape)))
        if isinstance(module, nn.Conv2d):
            module.out_channels, module.in_channels = module.weight.shape[:2]
        elif isinstance(module, nn.Linear):
            module.out_features, module.in_features = module.weight.shape
        return module

    def normalization(self, axes, module):
        positions, width = self.positions(axes)
        groups = [position // (width // module.num_groups) for position in positions]
        sizes = [groups.count(group) for group in sorted(set(groups))]
        if len(set(sizes)) == 1:
            return nn.GroupNorm(len(sizes), len(groups), module.eps)
        return PrunedGroupNorm(groups, module.eps)

    def attention(self, name, module):
        query = name + ".to_q.weight"
        if query not in self.tensors:
            return NoAttention(module)
        positions, width = self.positions(self.tensors[query][0])
        heads = [position // (width // module.heads) for position in positions]
        present = sorted(set(heads))
        widest = max(heads.count(head) for head in present)
        places, filled = [], {}
        for head in heads:
            places.append(present.index(head) * widest + filled.get(head, 0))
            filled[head] = filled.get(head, 0) + 1
        # Logits are divided by the root of the head width that a processor sees; it was the original one.
        scale = (widest / (width // module.heads)) ** 0.5
        for part, dimension in (("to_q", 0), ("to_k", 0), ("to_v", 0), ("to_out.0", 1)):
            layer = module.get_submodule(part)
            shape = self.shape(f"{name}.{part}.weight", layer.weight.shape)
            factor = scale if part == "to_q" else 1.0
            if len(places) == len(present) * widest and factor == 1:
                continue
            replace(
                module, part, PrunedProjection(layer, shape, dimension, places, len(present) * widest, factor)
            )
        module.heads, module.scale = len(present), widest**-0.5
        module.inner_dim = module.inner_kv_dim = len(present) * widest
        return module


def numbers(ranges):
    """The numbers in "0-3 5 7-8"."""
    pairs = [part.partition("-") for part in ranges.split()]
    return [number for first, _, last in pairs for number in range(int(first), int(last or first) + 1)]


def replace(model, name, module):
    """Puts `module` in the place of the submodule `name`."""
    parent, _, leaf = name.rpartition(".")
    parent = model.get_submodule(parent)
    if isinstance(parent, nn.ModuleList):
        parent[int(leaf)] = module
    else:
        setattr(parent, leaf, module)


# The same net in plain torch: its modules have diffusers' names, so that the rules above and all weights fit both.

# What keys of config.json are where they are missing.
DEFAULTS = dict(
    in_channels=3, out_channels=3, center_input_sample=False, mid_block_type="UNetMidBlock2D",
    block_out_channels=[224, 448, 672, 896], layers_per_block=2, mid_block_scale_factor=1, dropout=0.0,
    down_block_types=["DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"],
    up_block_types=["AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"],
    downsample_padding=1, downsample_type="conv", upsample_type="conv", act_fn="silu",
    attention_head_dim=8, add_attention=True, norm_num_groups=32, attn_norm_num_groups=None, norm_eps=1e-5,
    time_embedding_type="positional", time_embedding_dim=None, freq_shift=0, flip_sin_to_cos=True,
    resnet_time_scale_shift="default", class_embed_type=None, num_class_embeds=None, num_train_timesteps=None,
)
ACTIVATIONS = {"silu": nn.SiLU, "swish": nn.SiLU, "mish": nn.Mish, "gelu": nn.GELU, "relu": nn.ReLU}
WEIGHTS = "diffusion_pytorch_model.safetensors"


def load(folder):
    """The U-Net of a pipeline's or a U-Net's own folder, dense or pruned, in single precision, ready to predict."""
    folder = unet_folder(folder)
    model = PlainUNet(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    files = [WEIGHTS]
    if not (folder / WEIGHTS).exists():
        index = json.loads((folder / (WEIGHTS + ".index.json")).read_text(encoding="utf-8"))
        files = sorted(set(index["weight_map"].values()))
    model.load_state_dict({name: tensor for file in files for name, tensor in load_file(folder / file).items()})
    return model.eval()


def save(model, folder):
    """Writes a plain U-Net into a U-Net's folder, or into that of a pipeline, whose other parts stay."""
    folder = unet_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(model.config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    copy_this_file(folder)


def unet_folder(folder):
    folder = pathlib.Path(folder)
    return folder / "unet" if (folder / "unet").is_dir() else folder


def copy_this_file(folder):
    copy = os.path.join(folder, "modeling_diffprune.py")
    if not (os.path.exists(copy) and os.path.samefile(__file__, copy)):
        shutil.copyfile(__file__, copy)


class PlainUNet(nn.Module):
    """unet(sample [N, C, H, W], timestep, class_labels) is the prediction; `config` is what config.json holds."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        c = {**DEFAULTS, **config}
        widths, layers = c["block_out_channels"], c["layers_per_block"]
        c["time_embedding_dim"] = time_width = c["time_embedding_dim"] or 4 * widths[0]
        self.conv_in = nn.Conv2d(c["in_channels"], widths[0], 3, padding=1)
        kind, signal_width = c["time_embedding_type"], widths[0]
        if kind == "fourier":
            self.time_proj, signal_width = FourierSignal(widths[0]), 2 * widths[0]
        elif kind == "learned":
            self.time_proj = nn.Embedding(c["num_train_timesteps"], widths[0])
        else:
            self.time_proj = PositionalSignal(widths[0], c["flip_sin_to_cos"], c["freq_shift"])
        self.time_embedding = TimeEmbedding(signal_width, time_width)
        self.class_embedding = None
        if c["class_embed_type"] == "timestep":
            self.class_embedding = TimeEmbedding(signal_width, time_width)
        elif c["class_embed_type"] == "identity":
            self.class_embedding = nn.Identity()
        elif c["num_class_embeds"] is not None:
            self.class_embedding = nn.Embedding(c["num_class_embeds"], time_width)

        self.down_blocks, self.up_blocks = nn.ModuleList(), nn.ModuleList()
        last = len(widths) - 1
        for level, kind in enumerate(c["down_block_types"]):
            inputs = [widths[max(level - 1, 0)]] + [widths[level]] * (layers - 1)
            self.down_blocks.append(DownBlock(c, kind, widths[level], [(w, 0) for w in inputs], level < last))
        self.mid_block = MidBlock(c, widths[-1]) if c["mid_block_type"] else None
        for level, kind in zip(range(last, -1, -1), c["up_block_types"], strict=True):
            streams = [widths[min(level + 1, last)]] + [widths[level]] * layers
            skips = [widths[level]] * layers + [widths[max(level - 1, 0)]]
            inputs = list(zip(streams, skips, strict=True))
            self.up_blocks.append(UpBlock(c, kind, widths[level], inputs, level > 0))
        groups = c["norm_num_groups"] or pyramid_groups(widths[0])
        self.conv_norm_out = nn.GroupNorm(groups, widths[0], c["norm_eps"])
        self.conv_out = nn.Conv2d(widths[0], c["out_channels"], 3, padding=1)
        self.centers, self.divides = c["center_input_sample"], c["time_embedding_type"] == "fourier"
        self.embeds_class_as_time = c["class_embed_type"] == "timestep"
        if config.get("pruning"):
            Pruning(config["pruning"]).apply_to(self)

    def forward(self, sample, timestep, class_labels=None):
        image = 2 * sample - 1 if self.centers else sample
        if not torch.is_tensor(timestep):
            timestep = torch.tensor(timestep, device=sample.device)
        timestep = timestep.to(sample.device).expand(sample.shape[0])
        time = self.time_embedding(self.time_proj(timestep).to(sample.dtype))
        if self.class_embedding is not None:
            labels = self.time_proj(class_labels) if self.embeds_class_as_time else class_labels
            if labels.is_floating_point():
                labels = labels.to(sample.dtype)
            time = time + self.class_embedding(labels)
        x = self.conv_in(image)
        skips = [x]
        for block in self.down_blocks:
            x, image = block(x, time, skips, image)
        if self.mid_block is not None:
            x = self.mid_block(x, time)
        image = None
        for block in self.up_blocks:
            x, image = block(x, time, skips, image)
        x = self.conv_out(F.silu(self.conv_norm_out(x)))
        if image is not None:
            x = x + image
        return x / timestep.view(-1, 1, 1, 1) if self.divides else x


class PositionalSignal(nn.Module):
    def __init__(self, width, cosines_first, shift):
        super().__init__()
        self.width, self.cosines_first, self.shift = width, cosines_first, shift

    def forward(self, timestep):
        half = self.width // 2
        numbers = torch.arange(half, dtype=torch.float32, device=timestep.device)
        angles = timestep.float().unsqueeze(1) * torch.exp(numbers * -math.log(10000) / (half - self.shift))
        parts = [angles.cos(), angles.sin()] if self.cosines_first else [angles.sin(), angles.cos()]
        return F.pad(torch.cat(parts, 1), (0, self.width % 2))


class FourierSignal(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(16 * torch.randn(width), requires_grad=False)

    def forward(self, timestep):
        angles = timestep.log().unsqueeze(1) * self.weight * 2 * math.pi
        return torch.cat([angles.sin(), angles.cos()], 1)


class TimeEmbedding(nn.Module):
    def __init__(self, width, out):
        super().__init__()
        self.linear_1, self.linear_2 = nn.Linear(width, out), nn.Linear(out, out)

    def forward(self, x):
        return self.linear_2(F.silu(self.linear_1(x)))


class ResnetBlock(nn.Module):
    def __init__(self, c, width, out, groups, groups_out, divisor, resample=None):
        super().__init__()
        self.divisor, self.resample = divisor, resample
        self.scales = c["resnet_time_scale_shift"] == "scale_shift"
        self.norm1 = nn.GroupNorm(groups, width, c["norm_eps"])
        self.conv1 = nn.Conv2d(width, out, 3, padding=1)
        self.time_emb_proj = nn.Linear(c["time_embedding_dim"], 2 * out if self.scales else out)
        self.norm2 = nn.GroupNorm(groups_out, out, c["norm_eps"])
        self.dropout = nn.Dropout(c["dropout"])
        self.conv2 = nn.Conv2d(out, out, 3, padding=1)
        self.activation = ACTIVATIONS[c["act_fn"].lower()]()
        # Where an image is met, blocks that resample have a shortcut whatever their widths.
        self.conv_shortcut = nn.Conv2d(width, out, 1) if width != out or resample in (filter_down, filter_up) else None

    def forward(self, x, time):
        h = self.activation(self.norm1(x))
        if self.resample is not None:
            x, h = self.resample(x), self.resample(h)
        h = self.conv1(h)
        time = self.time_emb_proj(self.activation(time))[:, :, None, None]
        if self.scales:
            scale, shift = time.chunk(2, dim=1)
            h = self.norm2(h) * (1 + scale) + shift
        else:
            h = self.norm2(h + time)
        h = self.conv2(self.dropout(self.activation(h)))
        return ((x if self.conv_shortcut is None else self.conv_shortcut(x)) + h) / self.divisor


class Attention(nn.Module):
    def __init__(self, c, width, groups, divisor):
        super().__init__()
        head = c["attention_head_dim"] or width
        self.heads, self.rescale_output_factor, self.residual_connection = width // head, divisor, True
        self.group_norm = nn.GroupNorm(groups, width, c["norm_eps"]) if groups else nn.Identity()
        self.to_q, self.to_k, self.to_v = (nn.Linear(width, self.heads * head) for _ in range(3))
        self.to_out = nn.ModuleList([nn.Linear(self.heads * head, width)])

    def forward(self, x):
        pixels = self.group_norm(x.flatten(2)).transpose(1, 2)
        parts = [layer(pixels).unflatten(2, (self.heads, -1)) for layer in (self.to_q, self.to_k, self.to_v)]
        attended = F.scaled_dot_product_attention(*(part.transpose(1, 2) for part in parts))
        out = self.to_out[0](attended.transpose(1, 2).flatten(2))
        return (out.transpose(1, 2).reshape(x.shape) + x) / self.rescale_output_factor


class MidBlock(nn.Module):
    def __init__(self, c, width):
        super().__init__()
        divisor, groups = c["mid_block_scale_factor"], c["norm_num_groups"] or pyramid_groups(width)
        self.resnets = nn.ModuleList(ResnetBlock(c, width, width, groups, groups, divisor) for _ in range(2))
        of_attention = c["attn_norm_num_groups"] or (groups if c["resnet_time_scale_shift"] == "default" else None)
        count = 1 if c["add_attention"] else 0
        self.attentions = nn.ModuleList(Attention(c, width, of_attention, divisor) for _ in range(count))

    def forward(self, x, time):
        x = self.resnets[0](x, time)
        for attention in self.attentions:
            x = attention(x)
        return self.resnets[1](x, time)


class Level(nn.Module):
    """What the blocks of all types share, on the way down and up. Skip blocks have an image run beside them."""

    def __init__(self, c, kind, out, inputs, resampling):
        """`inputs`: of each ResNet block the channels of the stream and of the skip that it takes in."""
        super().__init__()
        name = kind.removeprefix("UNetRes")
        attends, self.meets_image = name.startswith("Attn"), "Skip" in name
        self.resamples_by_resnet = name.startswith("Resnet") or (attends and resampling == "resnet")
        self.c, self.out, self.divisor = c, out, math.sqrt(2) if self.meets_image else 1.0
        self.resnets = nn.ModuleList()
        for stream, skip in inputs:
            groups = c["norm_num_groups"]
            if self.meets_image:
                # In AttnSkipUpBlock2D only the skip's width is divided by four.
                groups = min(stream + skip // 4, 32) if attends and skip else pyramid_groups(stream + skip)
            self.resnets.append(self.resnet(stream + skip, groups))
        count = len(inputs) if attends else 0
        if self.meets_image and attends and inputs[0][1]:
            count = 1
        groups = 32 if self.meets_image else c["norm_num_groups"]
        self.attentions = nn.ModuleList(Attention(c, out, groups, self.divisor) for _ in range(count))

    def resnet(self, width, groups, resample=None):
        groups_out = pyramid_groups(self.out) if self.meets_image else groups
        return ResnetBlock(self.c, width, self.out, groups, groups_out, self.divisor, resample)

    def resampling_resnet(self, resample):
        groups = pyramid_groups(self.out) if self.meets_image else self.c["norm_num_groups"]
        return self.resnet(self.out, groups, resample)

    def layers(self):
        """ResNet blocks, each with the attention that follows it; where there is one alone it follows the last."""
        missing = len(self.resnets) - len(self.attentions)
        return zip(self.resnets, [*[nn.Identity()] * missing, *self.attentions], strict=True)


class DownBlock(Level):
    def __init__(self, c, kind, out, inputs, resamples):
        super().__init__(c, kind, out, inputs, c["downsample_type"])
        self.downsamplers, self.resnet_down = nn.ModuleList(), None
        if resamples and self.meets_image:
            self.resnet_down = self.resampling_resnet(filter_down)
            self.skip_conv = nn.Conv2d(3, out, 1)
        elif resamples:
            by_resnet = self.resamples_by_resnet
            self.downsamplers.append(self.resampling_resnet(average) if by_resnet else Downsampling(c, out))

    def forward(self, x, time, skips, image):
        for resnet, attention in self.layers():
            x = attention(resnet(x, time))
            skips.append(x)
        if self.resnet_down is not None:
            image = filter_down(image)
            x = self.resnet_down(x, time) + self.skip_conv(image)
            skips.append(x)
        for downsampler in self.downsamplers:
            x = downsampler(x, time)
            skips.append(x)
        return x, image


class UpBlock(Level):
    def __init__(self, c, kind, out, inputs, resamples):
        super().__init__(c, kind, out, inputs, c["upsample_type"])
        self.upsamplers, self.resnet_up = nn.ModuleList(), None
        if resamples and self.meets_image:
            self.resnet_up = self.resampling_resnet(filter_up)
            self.skip_norm = nn.GroupNorm(pyramid_groups(out), out, c["norm_eps"])
            self.skip_conv = nn.Conv2d(out, 3, 3, padding=1)
        elif resamples:
            self.upsamplers.append(self.resampling_resnet(double) if self.resamples_by_resnet else Upsampling(out))

    def forward(self, x, time, skips, image):
        for resnet, attention in self.layers():
            x = attention(resnet(torch.cat([x, skips.pop()], 1), time))
        if self.meets_image and image is not None:
            image = filter_up(image)
        if self.resnet_up is not None:
            drawn = self.skip_conv(F.silu(self.skip_norm(x)))
            image = drawn if image is None else image + drawn
            x = self.resnet_up(x, time)
        for upsampler in self.upsamplers:
            x = upsampler(x, time)
        return x, image


class Downsampling(nn.Module):
    def __init__(self, c, width):
        super().__init__()
        self.pads = c["downsample_padding"] == 0
        self.conv = nn.Conv2d(width, width, 3, stride=2, padding=c["downsample_padding"])

    def forward(self, x, time):
        return self.conv(F.pad(x, (0, 1, 0, 1)) if self.pads else x)


class Upsampling(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x, time):
        return self.conv(double(x))


def pyramid_groups(width):
    return min(width // 4, 32)


def average(x):
    return F.avg_pool2d(x, 2)


def double(x):
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def filter_down(x):
    return filtered(x, F.conv2d, 1 / 64)


def filter_up(x):
    return filtered(x, F.conv_transpose2d, 1 / 16)


def filtered(x, convolve, scale):
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype, device=x.device)
    kernel = torch.outer(taps, taps).view(1, 1, 4, 4) * scale
    return convolve(x.flatten(0, 1).unsqueeze(1), kernel, stride=2, padding=1).squeeze(1).unflatten(0, x.shape[:2])


if UNet2DModel is not None:

    class PrunedUNet2DModel(UNet2DModel):
        """diffusers' UNet2DModel with the channels that `pruning` says."""

        def __init__(self, pruning=None, auto_map=None, **dense):
            super().__init__(**dense)
            self.register_to_config(pruning=pruning, auto_map=auto_map)
            if pruning is not None:
                Pruning(pruning).apply_to(self)

        def save_pretrained(self, save_directory, *args, **kwargs):
            super().save_pretrained(save_directory, *args, **kwargs)
            copy_this_file(save_directory)

    # The name under which model_index.json of a folder finds this file, wherever diffusers has loaded it from.
    PrunedUNet2DModel.__module__ = "modeling_diffprune"
    sys.modules.setdefault("modeling_diffprune", sys.modules[__name__])

    # diffusers gives a constructor those keys of config.json that its signature has.
    _dense = inspect.signature(UNet2DModel.__init__)
    _own = [inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None) for key in ("pruning", "auto_map")]
    PrunedUNet2DModel.__init__.__signature__ = _dense.replace(parameters=[*_dense.parameters.values(), *_own])

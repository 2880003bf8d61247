"""A U-Net pruned by diffprune, for PyTorch and diffusers.

    pipeline = DiffusionPipeline.from_pretrained(FOLDER, trust_remote_code=True)
    unet = PrunedUNet2DModel.from_pretrained(FOLDER + "/unet")      # with this file on the path

It is diffusers' UNet2DModel with fewer channels. `pruning` in config.json says which: `axes` has each channel axis with
its width before pruning and the original numbers of the channels that are left, `tensors` the axes that each dimension
of a tensor runs over. It trains as any model, and save_pretrained writes a folder that loads here and in diffprune.
"""

import inspect
import os
import shutil
import sys

import torch
import torch.nn.functional as F
from diffusers import UNet2DModel
from diffusers.models.attention_processor import Attention
from torch import nn


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


class PrunedUNet2DModel(UNet2DModel):
    """diffusers' UNet2DModel with the channels that `pruning` says."""

    def __init__(self, pruning=None, auto_map=None, **dense):
        super().__init__(**dense)
        self.register_to_config(pruning=pruning, auto_map=auto_map)
        if pruning is not None:
            Pruning(pruning).apply_to(self)

    def save_pretrained(self, save_directory, *args, **kwargs):
        super().save_pretrained(save_directory, *args, **kwargs)
        copy = os.path.join(save_directory, "modeling_diffprune.py")
        if not (os.path.exists(copy) and os.path.samefile(__file__, copy)):
            shutil.copyfile(__file__, copy)


# The name under which model_index.json of a folder finds this file, wherever diffusers has loaded it from.
PrunedUNet2DModel.__module__ = "modeling_diffprune"
sys.modules.setdefault("modeling_diffprune", sys.modules[__name__])

# diffusers gives a constructor those keys of config.json that its signature has.
_dense = inspect.signature(UNet2DModel.__init__)
_own = [inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None) for key in ("pruning", "auto_map")]
PrunedUNet2DModel.__init__.__signature__ = _dense.replace(parameters=[*_dense.parameters.values(), *_own])


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
            if isinstance(module, Attention):
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

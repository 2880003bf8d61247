"""Makes `operations.safetensors`: inputs, outputs and gradients of single operations, by PyTorch in float64.

Inputs are rounded to float32 before anything is computed from them. See README.md for the names.
"""

import functools
import math
import pathlib
import zlib

import torch
import torch.nn.functional as F
from diffusers.models.downsampling import downsample_2d
from diffusers.models.upsampling import upsample_2d
from safetensors.torch import save_file

torch.set_num_threads(1)
HERE = pathlib.Path(__file__).parent
tensors = {}


class Draw:
    """Random float64 values that float32 holds exactly, from a stream of the case's own."""

    def __init__(self, name):
        self.stream = torch.Generator().manual_seed(zlib.crc32(name.encode()))

    def normal(self, *shape, scale=1.0, shift=0.0):
        return (shift + scale * torch.randn(*shape, generator=self.stream)).float().double()

    def uniform(self, *shape):
        return torch.rand(*shape, generator=self.stream).float().double()


def store(name, **values):
    for key, value in values.items():
        value = torch.as_tensor(value)
        assert value.isfinite().all(), (name, key)
        value = value.detach()
        tensors[f"{name}/{key}"] = (value.float() if value.is_floating_point() else value).contiguous()


def case(name, operation, inputs, attributes=None, constants=()):
    """Stores y = operation(**inputs), a random cotangent grad_y and the gradients of ⟨grad_y, y⟩."""
    leaves = {key: value.clone().requires_grad_(key not in constants) for key, value in inputs.items()}
    y = operation(**leaves)
    grad_y = Draw(name + "/grad_y").normal(*y.shape)
    wanted = {key: leaf for key, leaf in leaves.items() if leaf.requires_grad}
    gradients = torch.autograd.grad(y, list(wanted.values()), grad_y)
    store(name, **inputs, **(attributes or {}), y=y, grad_y=grad_y)
    store(name, **{f"grad_{key}": gradient for key, gradient in zip(wanted, gradients, strict=True)})

    def value(moved):
        return (operation(**{**inputs, **dict(zip(wanted, moved, strict=True))}) * grad_y).sum()

    agree_with_differences(name, value, list(wanted.values()), gradients)


def agree_with_differences(name, function, points, gradients, step=1e-6):
    """Asserts ⟨gradients, d⟩ = the central difference of `function` along a random d, a second opinion on autograd.

    d is 0 where the point is exactly 0: there stand relu's kink and the gates of dead groups.
    """
    draw = Draw(name + "/direction")
    points = [point.detach() for point in points]
    directions = [draw.normal(*point.shape) * (point != 0) for point in points]
    ends = [function([p + sign * step * d for p, d in zip(points, directions, strict=True)]) for sign in (1, -1)]
    difference = (ends[0] - ends[1]) / (2 * step)
    exact = sum((g * d).sum() for g, d in zip(gradients, directions, strict=True))
    size = sum((g * d).abs().sum() for g, d in zip(gradients, directions, strict=True))
    assert (difference - exact).abs() <= 1e-6 * size, (name, difference, exact)


# Convolutions ---------------------------------------------------------------------------------------------------------

def convolution(name, batch, cin, cout, height, width, kernel, stride, padding, bias=True):
    """`padding` is (top, left, bottom, right)."""
    draw = Draw(name)
    inputs = {
        "x": draw.normal(batch, cin, height, width),
        "w": draw.normal(cout, cin, kernel, kernel, scale=(cin * kernel * kernel) ** -0.5),
    }
    if bias:
        inputs["b"] = draw.normal(cout)
    top, left, bottom, right = padding

    def operation(x, w, b=None):
        return F.conv2d(F.pad(x, (left, right, top, bottom)), w, b, stride=stride)

    case(name, operation, inputs, {"stride": stride, "padding": torch.tensor(padding)})


SAME = (1, 1, 1, 1)
NONE = (0, 0, 0, 0)
convolution("conv3x3", 2, 4, 8, 8, 8, 3, 1, SAME)
convolution("conv3x3_odd", 2, 3, 5, 7, 9, 3, 1, SAME)
convolution("conv3x3_wide", 1, 12, 33, 9, 10, 3, 1, SAME)
convolution("conv3x3_one_channel", 2, 1, 1, 5, 6, 3, 1, SAME)
convolution("conv3x3_one_pixel", 2, 5, 3, 1, 1, 3, 1, SAME)
convolution("conv3x3_no_padding", 1, 3, 4, 6, 5, 3, 1, NONE)
convolution("conv3x3_no_bias", 1, 3, 4, 5, 4, 3, 1, SAME, bias=False)
convolution("conv3x3_s2", 2, 4, 6, 8, 8, 3, 2, SAME)
convolution("conv3x3_s2_odd", 2, 5, 7, 7, 9, 3, 2, SAME)
convolution("conv3x3_s2_bottom_right", 2, 3, 5, 8, 6, 3, 2, (0, 0, 1, 1))
convolution("conv3x3_s2_bottom_right_odd", 1, 5, 3, 7, 5, 3, 2, (0, 0, 1, 1))
convolution("conv1x1", 2, 8, 4, 6, 5, 1, 1, NONE)
convolution("conv1x1_odd", 2, 7, 11, 3, 5, 1, 1, NONE)
convolution("conv1x1_s2", 1, 3, 5, 6, 7, 1, 2, NONE)

# Linear ---------------------------------------------------------------------------------------------------------------

for name, shape, cout in [("linear", (3, 8), 6), ("linear_odd", (5, 7), 13), ("linear_tokens", (2, 9, 5), 6)]:
    draw = Draw(name)
    case(
        name,
        lambda x, w, b: F.linear(x, w, b),
        {"x": draw.normal(*shape), "w": draw.normal(cout, shape[-1], scale=shape[-1] ** -0.5), "b": draw.normal(cout)},
    )

# GroupNorm ------------------------------------------------------------------------------------------------------------

ACTIVATIONS = {"": lambda x: x, "_silu": F.silu}


def normalisation(name, channels, groups, eps=1e-5, shift=0.0, size=(4, 5)):
    for suffix, activation in ACTIVATIONS.items():
        draw = Draw(name)
        case(
            name + suffix,
            lambda x, gamma, beta, activation=activation: activation(F.group_norm(x, groups, gamma, beta, eps)),
            {
                "x": draw.normal(2, channels, *size, shift=shift),
                "gamma": draw.normal(channels, scale=0.4, shift=1),
                "beta": draw.normal(channels, scale=0.4),
            },
            {"groups": groups, "eps": torch.tensor(eps)},
        )


normalisation("group_norm", 6, 2)
normalisation("group_norm_one_group", 5, 1, eps=1e-6)
normalisation("group_norm_each_channel", 4, 4)
normalisation("group_norm_large_mean", 6, 3, shift=30.0)
normalisation("group_norm_large_eps", 6, 3, eps=0.1, size=(1, 1))


def gated_group_norm(x, gamma, beta, m, group_of_channel, eps, activation):
    """docs/ARCHITECTURE.md, "Channels"; a group whose gates are all 0 gives 0 and has no gradient."""
    pixels = x.shape[2] * x.shape[3]
    outputs = [None] * x.shape[1]
    for group in group_of_channel.unique().tolist():
        members = (group_of_channel == group).nonzero().flatten().tolist()
        xs, gates = x[:, members], m[members].view(1, -1, 1, 1)
        weight = pixels * gates.sum()
        if weight == 0:
            y = 0 * xs
        else:
            mean = (gates * xs).sum((1, 2, 3), keepdim=True) / weight
            variance = (gates * (xs - mean) ** 2).sum((1, 2, 3), keepdim=True) / weight
            scale, offset = (value[members].view(1, -1, 1, 1) for value in (gamma, beta))
            y = gates * activation((xs - mean) / (variance + eps).sqrt() * scale + offset)
        for index, member in enumerate(members):
            outputs[member] = y[:, index]
    # the sum of zeros keeps parameters of dead groups in the graph, with gradient 0
    return torch.stack(outputs, 1) + 0 * (gamma.sum() + beta.sum() + m.sum())


def gated(name, group_of_channel, gates, size=(3, 4), eps=1e-5):
    for suffix, activation in ACTIVATIONS.items():
        draw = Draw(name)
        channels = len(group_of_channel)
        groups = torch.tensor(group_of_channel)
        case(
            name + suffix,
            functools.partial(gated_group_norm, group_of_channel=groups, eps=eps, activation=activation),
            {
                "x": draw.normal(2, channels, *size),
                "gamma": draw.normal(channels, scale=0.4, shift=1),
                "beta": draw.normal(channels, scale=0.4),
                "m": torch.tensor(gates).double() if gates else draw.uniform(channels),
            },
            {"group_of_channel": groups, "eps": torch.tensor(eps)},
        )


RAGGED = [0, 0, 0, 1, 2, 2, 2, 2, 2]
gated("gated_group_norm", RAGGED, None)
gated("gated_group_norm_ones", [0, 0, 1, 1, 2, 2], [1.0] * 6)
gated("gated_group_norm_some_off", RAGGED, [0.0, 0.5, 1.0, 0.25, 1.0, 0.0, 0.75, 0.0, 0.125])
gated("gated_group_norm_dead_groups", RAGGED, [0.0, 0.0, 0.0, 0.0, 0.5, 0.75, 0.0, 1.0, 0.25])
gated("gated_group_norm_one_pixel", RAGGED, None, size=(1, 1), eps=0.01)
gated("gated_group_norm_unordered", [1, 0, 1, 2, 0, 2, 1], None)

# Attention and softmax ------------------------------------------------------------------------------------------------


def attention(q, k, v, heads):
    """softmax(q kᵀ / √(head width)) v on [batch, tokens, heads × head width]."""
    batch, tokens, width = q.shape
    q, k, v = (t.view(batch, tokens, heads, width // heads).transpose(1, 2) for t in (q, k, v))
    weights = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(width // heads), dim=-1)
    return (weights @ v).transpose(1, 2).reshape(batch, tokens, width)


for name, heads, tokens, width, scale in [
    ("attention_one_head", 1, 9, 8, 1),
    ("attention_two_heads", 2, 16, 8, 1),
    ("attention_odd", 3, 7, 15, 1),
    ("attention_one_token", 2, 1, 6, 1),
    ("attention_large_logits", 1, 6, 4, 30),
]:
    draw = Draw(name)
    q, k, v = (draw.normal(2, tokens, width, scale=s) for s in (scale, 1, 1))
    case(name, functools.partial(attention, heads=heads), {"q": q, "k": k, "v": v}, {"heads": heads})

case("softmax", lambda x: torch.softmax(x, -1), {"x": Draw("softmax").normal(4, 11)})
case("softmax_large", lambda x: torch.softmax(x, -1), {"x": Draw("softmax_large").normal(3, 7, scale=2, shift=500)})

# Elementwise, resampling, loss ----------------------------------------------------------------------------------------

SPAN = torch.cat([torch.linspace(-12, 12, 49), torch.tensor([-100.0, -40, -20, -1e-3, 1e-3, 20, 40, 100])]).double()
for name, function in {"silu": F.silu, "gelu": F.gelu, "mish": F.mish, "relu": F.relu}.items():
    case(name, lambda x, function=function: function(x), {"x": SPAN})

for name, operation, size in [
    ("upsample_nearest", lambda x: F.interpolate(x, scale_factor=2.0, mode="nearest"), (3, 5)),
    ("average_pool", lambda x: F.avg_pool2d(x, 2, 2), (4, 6)),
    ("fir_downsample", lambda x: downsample_2d(x, kernel=(1, 3, 3, 1)), (4, 6)),
    ("fir_upsample", lambda x: upsample_2d(x, kernel=(1, 3, 3, 1)), (3, 5)),
]:
    case(name, operation, {"x": Draw(name).normal(2, 3, *size)})

draw = Draw("mse")
prediction, target = draw.normal(2, 3, 4, 5).requires_grad_(), draw.normal(2, 3, 4, 5)
loss = F.mse_loss(prediction, target)
store("mse", x=prediction, target=target, y=loss, grad_x=torch.autograd.grad(loss, prediction)[0])

# Hessian–vector products --------------------------------------------------------------------------------------------


def hessian_vector_product(name, loss, data, parameters):
    """Stores loss, its gradient g and H·v by double backward over `parameters`, with the same for v = g."""
    leaves = {key: value.clone().requires_grad_() for key, value in parameters.items()}
    value = loss(**data, **leaves)
    gradients = torch.autograd.grad(value, list(leaves.values()), create_graph=True)
    draw = Draw(name + "/v")
    vectors = [draw.normal(*leaf.shape) for leaf in leaves.values()]
    products = torch.autograd.grad(gradients, list(leaves.values()), vectors, retain_graph=True)
    along_gradient = torch.autograd.grad(gradients, list(leaves.values()), [g.detach() for g in gradients])
    store(name, **data, **parameters, loss=value)

    def slope(moved):
        points = [point.clone().requires_grad_() for point in moved]
        slopes = torch.autograd.grad(loss(**data, **dict(zip(leaves, points, strict=True))), points)
        return sum((g * v).sum() for g, v in zip(slopes, vectors, strict=True))

    # H is symmetric: ⟨H v, d⟩ is the derivative of ⟨g, v⟩ along d
    agree_with_differences(name, slope, list(leaves.values()), products)
    columns = zip(leaves, gradients, vectors, products, along_gradient, strict=True)
    for key, g, v, hv, hg in columns:
        store(name, **{f"grad_{key}": g, f"v_{key}": v, f"hv_{key}": hv, f"hg_{key}": hg})


draw = Draw("hvp_mlp")
hessian_vector_product(
    "hvp_mlp",
    lambda x, target, w1, b1, w2, b2: F.mse_loss(F.linear(F.silu(F.linear(x, w1, b1)), w2, b2), target),
    {"x": draw.normal(4, 3), "target": draw.normal(4, 2)},
    {"w1": draw.normal(5, 3), "b1": draw.normal(5), "w2": draw.normal(2, 5), "b2": draw.normal(2)},
)
draw = Draw("hvp_conv")
hessian_vector_product(
    "hvp_conv",
    lambda x, target, w1, b1, gamma, beta, w2, b2: F.mse_loss(
        F.conv2d(F.silu(F.group_norm(F.conv2d(x, w1, b1, padding=1), 2, gamma, beta, 1e-5)), w2, b2), target
    ),
    {"x": draw.normal(2, 3, 4, 5), "target": draw.normal(2, 3, 4, 5)},
    {
        "w1": draw.normal(4, 3, 3, 3, scale=0.2), "b1": draw.normal(4),
        "gamma": draw.normal(4, scale=0.4, shift=1), "beta": draw.normal(4, scale=0.4),
        "w2": draw.normal(3, 4, 1, 1, scale=0.5), "b2": draw.normal(3),
    },
)
draw = Draw("hvp_gates")
groups = torch.tensor([0, 0, 0, 1, 1])
hessian_vector_product(
    "hvp_gates",
    lambda x, target, w, gamma, beta, m: F.mse_loss(
        gated_group_norm(F.conv2d(x, w, padding=1), gamma, beta, m, groups, 1e-5, F.silu), target
    ),
    {"x": draw.normal(2, 3, 4, 4), "target": draw.normal(2, 5, 4, 4)},
    {
        "w": draw.normal(5, 3, 3, 3, scale=0.2), "gamma": draw.normal(5, scale=0.4, shift=1),
        "beta": draw.normal(5, scale=0.4), "m": draw.uniform(5),
    },
)
store("hvp_gates", group_of_channel=groups)
draw = Draw("hvp_attention")
hessian_vector_product(
    "hvp_attention",
    lambda x, target, wq, wk, wv: F.mse_loss(attention(x @ wq.T, x @ wk.T, x @ wv.T, 2), target),
    {"x": draw.normal(2, 5, 6), "target": draw.normal(2, 5, 6)},
    {key: draw.normal(6, 6, scale=0.5) for key in ("wq", "wk", "wv")},
)

# Optimisers -----------------------------------------------------------------------------------------------------------

for name, make in {
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.9, 0.99), eps=1e-6),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1),
    "sgd_momentum": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, weight_decay=5e-4),
}.items():
    draw = Draw(name)
    start, gradients = draw.normal(7), draw.normal(5, 7)
    parameter = start.clone().requires_grad_()
    optimiser = make([parameter])
    trace = []
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimiser.step()
        trace.append(parameter.detach().clone())
    store(name, start=start, gradients=gradients, parameters=torch.stack(trace))

# With the constants that training uses, long enough for a β that was rounded to show: Adam's moments after 100 steps.
for name, make in {
    "adam_long": lambda p: torch.optim.Adam(p, lr=2e-4, betas=(0.9, 0.999), eps=1e-8),
    "adamw_long": lambda p: torch.optim.AdamW(p, lr=2e-4, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01),
}.items():
    draw = Draw(name)
    # Small weights: what the steps add up to is not hidden behind them.
    start, gradients = draw.normal(17, scale=1e-2), draw.normal(100, 17, scale=0.1)
    parameter = start.clone().requires_grad_()
    optimiser = make([parameter])
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimiser.step()
    state = optimiser.state[parameter]
    store(
        name, start=start, gradients=gradients, parameters=parameter, first_moment=state["exp_avg"],
        second_moment=state["exp_avg_sq"],
    )

path = HERE / "operations.safetensors"
save_file(tensors, path)
path.chmod(0o644)
print(len({name.split("/")[0] for name in tensors}), "cases,", len(tensors), "tensors,", path.stat().st_size, "bytes")

"""Makes `muon.safetensors`: traces of Muon in float64, held to torch.optim.Muon, which works in bfloat16."""

import math
import pathlib

import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
LEARNING_RATE, MOMENTUM, DECAY, STEPS = 0.02, 0.9, 0.1, 5
A, B, C = 3.4445, -4.7750, 2.0315

# [out, in, kh, kw], [out, in] taller and wider, a vector
SHAPES = {"convolution": (8, 5, 3, 3), "linear": (12, 4), "narrow": (3, 10), "bias": (8,)}


def orthogonalized(matrix: torch.Tensor) -> torch.Tensor:
    x = matrix / matrix.norm()
    for _ in range(5):
        gram = x @ x.T
        x = A * x + (B * gram + C * gram @ gram) @ x
    return x


def trace(start: torch.Tensor, gradients: list[torch.Tensor]) -> list[torch.Tensor]:
    """Of a matrix; in float64."""
    value, buffer = start.clone(), torch.zeros_like(start)
    factor = LEARNING_RATE * 0.2 * math.sqrt(max(start.shape))
    values = []
    for gradient in gradients:
        buffer = MOMENTUM * buffer + gradient
        direction = orthogonalized(gradient + MOMENTUM * buffer)
        value = value * (1 - LEARNING_RATE * DECAY) - factor * direction
        values.append(value)
    return values


def by_torch(optimizer_of, start: torch.Tensor, gradients: list[torch.Tensor]) -> list[torch.Tensor]:
    parameter = torch.nn.Parameter(start.clone())
    optimizer = optimizer_of([parameter])
    values = []
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimizer.step()
        values.append(parameter.detach().clone())
    return values


def muon(parameters):
    return torch.optim.Muon(
        parameters, lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=DECAY, adjust_lr_fn="match_rms_adamw"
    )


def adamw(parameters):
    return torch.optim.AdamW(parameters, lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=DECAY)


stream = torch.Generator().manual_seed(1)
tensors = {}
for name, shape in SHAPES.items():
    start = torch.randn(shape, generator=stream, dtype=torch.float32).double()
    gradients = [torch.randn(shape, generator=stream, dtype=torch.float32).double() for _ in range(STEPS)]
    if len(shape) == 1:
        values = by_torch(adamw, start, gradients)
    else:
        flat = [tensor.flatten(1) for tensor in gradients]
        values = trace(start.flatten(1), flat)
        for ours, theirs in zip(values, by_torch(muon, start.flatten(1), flat), strict=True):
            error = ((ours - theirs).norm() / (ours - start.flatten(1)).norm()).item()
            assert error < 0.05, f"{name}: {error} from torch.optim.Muon"  # what bfloat16 leaves
    tensors[f"{name}/start"] = start.float()
    tensors[f"{name}/gradients"] = torch.stack(gradients).float()
    tensors[f"{name}/values"] = torch.stack([value.reshape(shape) for value in values]).float()
save_file(tensors, HERE / "muon.safetensors")

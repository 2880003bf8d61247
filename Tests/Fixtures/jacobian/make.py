"""Makes `batch.safetensors` and `expected.safetensors`: second-moment Jacobian matching in float64 by PyTorch."""

import pathlib
import sys

import torch
from diffusers import DDPMScheduler, UNet2DModel
from safetensors.torch import load_file, save_file
from torch.func import jvp
from torch.nn.attention import SDPBackend, sdpa_kernel

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "unet"))
from tiny_unet import generator, randomise  # noqa: E402

DISTILLATION, MATCHING = 0.75, 0.5
SCORES = HERE.parent / "scores"


def group_norm(x, groups, weight, bias, eps):
    """As PyTorch's, whose forward derivative fails where a tangent is not contiguous."""
    grouped = x.reshape(x.shape[0], groups, -1)
    centred = grouped - grouped.mean(2, keepdim=True)
    normal = centred / (centred**2).mean(2, keepdim=True).add(eps).sqrt()
    shape = (1, -1) + (1,) * (x.ndim - 2)
    return normal.reshape(x.shape) * weight.view(shape) + bias.view(shape)


torch.nn.functional.group_norm = group_norm


def precise(model):
    double = UNet2DModel.from_config(model.config).double().eval()
    double.load_state_dict({key: value.double() for key, value in model.state_dict().items()})
    return double


dense = UNet2DModel.from_pretrained(SCORES / "model/unet").eval()
other = UNet2DModel.from_config(dense.config)
randomise(other, generator("jacobian/student"))
with torch.no_grad():  # near the teacher, as what is left of a model is
    for mine, theirs in zip(other.parameters(), dense.parameters(), strict=True):
        mine.copy_(theirs + 0.2 * (mine - theirs))
teacher, student = precise(dense), precise(other)

batch = load_file(SCORES / "batch.safetensors")
direction = torch.randn(batch["sample"].shape, generator=generator("jacobian/direction"))
direction /= direction.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
scheduler = DDPMScheduler()
noise = batch["noise"].double()
noised = scheduler.add_noise(batch["sample"].double(), noise, batch["timestep"])


def passed(model):
    """The prediction, and ‖J v‖² of each sample."""
    value, product = jvp(lambda x: model(x, batch["timestep"]).sample, (noised,), (direction.double(),))
    return value, (product**2).flatten(1).sum(1)


def terms():
    wanted, moments = (part.detach() for part in passed(teacher))
    value, own = passed(student)
    imitation = (1 - DISTILLATION) * ((value - noise) ** 2).mean() + DISTILLATION * ((value - wanted) ** 2).mean()
    return imitation, ((own - moments) ** 2).mean() / moments.mean() ** 2


names, weights = zip(*sorted(student.named_parameters()), strict=True)
with sdpa_kernel(SDPBackend.MATH):  # the fused attention has no forward derivative
    loss, matching = terms()
    gradients = torch.autograd.grad(loss + MATCHING * matching, weights)

    # the slope along a random direction again by central differences, to guard the file against a wrong derivative
    stream = generator("jacobian/probe")
    probe = [torch.randn(weight.shape, generator=stream).double() for weight in weights]
    step, ends = 1e-5, []
    for sign in (1, -1):
        with torch.no_grad():
            for weight, part in zip(weights, probe, strict=True):
                weight.add_(part, alpha=sign * step)
            end, other_end = terms()
            ends.append((end + MATCHING * other_end).item())
            for weight, part in zip(weights, probe, strict=True):
                weight.sub_(part, alpha=sign * step)
    slope = sum((part * gradient).sum() for part, gradient in zip(probe, gradients, strict=True)).item()
    error = abs((ends[0] - ends[1]) / (2 * step) - slope) / abs(slope)
    assert error < 1e-6, error

save_file({"direction": direction.contiguous()}, HERE / "batch.safetensors")
expected = {"loss": loss.detach(), "jacobian_loss": matching.detach()}
for name, weight, gradient in zip(names, weights, gradients, strict=True):
    expected[f"weight/{name}"] = weight.detach()
    expected[f"gradient/{name}"] = gradient
save_file({key: tensor.float().contiguous() for key, tensor in expected.items()}, HERE / "expected.safetensors")
for file in HERE.glob("*.safetensors"):
    file.chmod(0o644)
print(f"loss {loss:.4f}, jacobian loss {matching:.4f}, slope {slope:.4f}, error of differences {error:.1e}")

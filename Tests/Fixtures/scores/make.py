"""Makes `model/`, `batch.safetensors` and `expected.safetensors`: importance scores in float64 by PyTorch."""

import pathlib
import shutil
import sys

import torch
from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel
from safetensors.torch import save_file
from torch.nn.attention import SDPBackend, sdpa_kernel

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "unet"))
from tiny_unet import bring_to_unit_scale, build, generator  # noqa: E402

model = build(
    "scores",
    block_out_channels=(4, 4),
    time_embedding_dim=8,
    down_block_types=("DownBlock2D", "AttnDownBlock2D"),
    up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    attention_head_dim=2,
)
stream = generator("scores/batch")
batch = {
    "sample": torch.rand(6, 1, 8, 8, generator=stream) * 2 - 1,
    "noise": torch.randn(6, 1, 8, 8, generator=stream),
    "timestep": torch.tensor([3, 80, 250, 480, 700, 970]),
}
bring_to_unit_scale(model, batch["noise"], batch["timestep"])
scheduler = DDPMScheduler()
shutil.rmtree(HERE / "model", ignore_errors=True)
DDPMPipeline(unet=model, scheduler=scheduler).save_pretrained(HERE / "model")
save_file(batch, HERE / "batch.safetensors")

precise = UNet2DModel.from_config(model.config).double().eval()
precise.load_state_dict({key: value.double() for key, value in model.state_dict().items()})
names, weights = zip(*sorted(precise.named_parameters()), strict=True)
# add_noise works in the sample's precision: in float64 the noised sample carries no rounding beyond the schedule's
noised = scheduler.add_noise(batch["sample"].double(), batch["noise"].double(), batch["timestep"])


def loss(choice=slice(None)):
    """Mean over all elements of (ε − ε_θ(x_t, t))²."""
    prediction = precise(noised[choice], batch["timestep"][choice]).sample
    return ((batch["noise"].double()[choice] - prediction) ** 2).mean()


def gradient(value, create_graph=False):
    return torch.autograd.grad(value, weights, create_graph=create_graph)


with sdpa_kernel(SDPBackend.MATH):  # the fused attention has no second derivative
    value = loss()
    live = gradient(value, create_graph=True)
    g = [part.detach() for part in live]
    z = sum((fixed * part).sum() for fixed, part in zip(g, live, strict=True))
    hg = torch.autograd.grad(z, weights, retain_graph=True)
    per_sample = [gradient(loss(slice(n, n + 1))) for n in range(len(noised))]

    # diag(H): one product a weight. Every gradient gets a cotangent, zeros too: with undefined ones PyTorch's second
    # derivatives can crash.
    diagonal = [torch.zeros_like(weight) for weight in weights]
    vectors = [torch.zeros_like(weight) for weight in weights]
    for weight, vector, entries in zip(weights, vectors, diagonal, strict=True):
        for index in range(weight.numel()):
            vector.view(-1)[index] = 1
            product = torch.autograd.grad(live, weight, vectors, retain_graph=True)[0]
            entries.view(-1)[index] = product.flatten()[index]
            vector.view(-1)[index] = 0

    # H g again by central differences of the gradient, to guard the file against a wrong double backward
    step = 1e-4
    ends = []
    for sign in (1, -1):
        with torch.no_grad():
            for weight, part in zip(weights, g, strict=True):
                weight.add_(part, alpha=sign * step)
        ends.append(gradient(loss()))
        with torch.no_grad():
            for weight, part in zip(weights, g, strict=True):
                weight.sub_(part, alpha=sign * step)
    triples = zip(*ends, hg, strict=True)
    error = max(((up - down) / (2 * step) - exact).abs().max() for up, down, exact in triples)
    largest = max(part.abs().max() for part in hg)
    assert error < 1e-4 * largest, (error, largest)

expected = {"loss": value.detach()}
for index, name in enumerate(names):
    w = weights[index].detach()
    expected[f"gradient/{name}"] = g[index]
    expected[f"magnitude/{name}"] = w.abs()
    expected[f"taylor/{name}"] = (w * g[index]).abs()
    expected[f"snip/{name}"] = (w * g[index]).abs()
    expected[f"gradient-flow/{name}"] = -w * hg[index]
    expected[f"fisher/{name}"] = 0.5 * torch.stack([one[index] ** 2 for one in per_sample]).mean(0) * w**2
    expected[f"obd/{name}"] = 0.5 * diagonal[index] * w**2
save_file({key: tensor.float().contiguous() for key, tensor in expected.items()}, HERE / "expected.safetensors")

for file in HERE.rglob("*.safetensors"):
    file.chmod(0o644)
total = sum(file.stat().st_size for file in HERE.rglob("*") if file.is_file())
print(f"{sum(w.numel() for w in weights)} weights, loss {value:.4f}, |Hg| error {error / largest:.1e}, {total} bytes")

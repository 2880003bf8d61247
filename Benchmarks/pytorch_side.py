"""PyTorch's part: the same works as diffprune's `bench`, as calls without arguments.

Run by itself it makes a few training steps and prints what resident memory it took:

    python pytorch_side.py MODEL_FOLDER BATCH MEMORY_FORMAT THREADS
"""

import resource
import sys

import torch
from diffusers import UNet2DModel
from torch.nn.attention import SDPBackend, sdpa_kernel

FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


class Works:
    """One net in one memory format with a batch that is always the same."""

    def __init__(self, folder, batch, memory_format):
        layout = FORMATS[memory_format]
        # Without `accelerate` the other way warns at every call; weights end up the same.
        model = UNet2DModel.from_pretrained(folder, subfolder="unet", low_cpu_mem_usage=False)
        self.model = model.to(memory_format=layout)
        stream = torch.Generator().manual_seed(0)
        configuration = self.model.config
        size = configuration.sample_size
        height, width = size if isinstance(size, (tuple, list)) else (size, size)

        def noise(channels):
            return torch.randn(batch, channels, height, width, generator=stream).to(memory_format=layout)

        self.sample = noise(configuration.in_channels)
        self.target = noise(configuration.out_channels)
        self.timestep = torch.randint(0, 1000, (batch,), generator=stream)

    def prepare(self, work):
        """A call that does `work` once."""
        return {"forward": self.forward, "training": self.training, "hvp": self.hvp, "bf16": self.bf16}[work]()

    def loss(self):
        return torch.nn.functional.mse_loss(self.model(self.sample, self.timestep).sample, self.target)

    def forward(self):
        self.model.eval()

        def work():
            with torch.inference_mode():
                self.model(self.sample, self.timestep)

        return work

    def bf16(self):
        self.model.eval()

        def work():
            with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
                self.model(self.sample, self.timestep)

        return work

    def training(self):
        self.model.train()
        optimiser = torch.optim.Adam(self.model.parameters(), lr=1e-4, fused=True)

        def work():
            optimiser.zero_grad(set_to_none=True)
            self.loss().backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            optimiser.step()

        return work

    def hvp(self):
        self.model.train()
        parameters = list(self.model.parameters())
        stream = torch.Generator().manual_seed(1)
        direction = [torch.randn(p.shape, generator=stream) for p in parameters]

        def work():
            # The fused attention kernels cannot be differentiated twice.
            with sdpa_kernel(SDPBackend.MATH):
                gradients = torch.autograd.grad(self.loss(), parameters, create_graph=True)
                torch.autograd.grad(gradients, parameters, grad_outputs=direction, allow_unused=True)

        return work


def resident_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main():
    folder, batch, memory_format, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    before = resident_bytes()
    step = Works(folder, int(batch), memory_format).prepare("training")
    for _ in range(3):
        step()
    print(before, resident_bytes())


if __name__ == "__main__":
    main()

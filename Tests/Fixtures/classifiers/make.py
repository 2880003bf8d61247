"""Makes model folders of small classifiers with what PyTorch computes with them, in double precision.

The blocks and the VGG are torchvision's; only the stem and the number of stages are those of CIFAR's forms. Each folder
holds config.json and model.safetensors as diffprune reads them, and io.safetensors: `sample` in [-1, 1], `labels`,
`logits` in evaluation, `training_logits` with the batch's moments, `gradient:NAME` of their mean cross-entropy with
label smoothing 0.1, and `after:NAME`, the running moments after that one pass.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

# torchvision's wheel wants its operators, built for CUDA; the classifiers use none of them.
operators = torch.library.Library("torchvision", "DEF")
for name in ("nms", "qnms"):
    operators.define(f"{name}(Tensor boxes, Tensor scores, float threshold) -> Tensor")

from torchvision.models.resnet import BasicBlock, Bottleneck  # noqa: E402
from torchvision.models.vgg import make_layers  # noqa: E402

torch.set_num_threads(1)


class ResNet(nn.Module):
    def __init__(self, block, config):
        super().__init__()
        widths = config["widths"]
        channels = widths[0]
        self.conv1 = nn.Conv2d(config["in_channels"], channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.stages = len(widths)
        for stage, (depth, width) in enumerate(zip(config["depths"], widths, strict=True)):
            blocks = []
            for index in range(depth):
                stride = 2 if stage > 0 and index == 0 else 1
                downsample = None
                if stride != 1 or channels != width * block.expansion:
                    downsample = nn.Sequential(
                        nn.Conv2d(channels, width * block.expansion, 1, stride=stride, bias=False),
                        nn.BatchNorm2d(width * block.expansion),
                    )
                # torchvision's basic block refuses other base widths than 64, which are for grouped convolutions.
                blocks.append(block(channels, width, stride, downsample))
                channels = width * block.expansion
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(channels, config["num_classes"])

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.fc(x.mean((2, 3)))


class VGG(nn.Module):
    def __init__(self, config):
        super().__init__()
        plan = []
        for depth, width in zip(config["depths"], config["widths"], strict=True):
            plan += [width] * depth + ["M"]
        assert config["in_channels"] == 3
        self.features = make_layers(plan, batch_norm=True)
        self.classifier = nn.Linear(config["widths"][-1], config["num_classes"])

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


CASES = {
    "basic": ("resnet20", BasicBlock, {"depths": [2, 1], "widths": [4, 6], "in_channels": 1}),
    "bottleneck": ("resnet50", Bottleneck, {"depths": [1, 2], "widths": [3, 4], "in_channels": 3}),
    "plain": ("vgg19", None, {"depths": [1, 2], "widths": [4, 6], "in_channels": 3}),
}


def make(name):
    architecture, block, shape = CASES[name]
    torch.manual_seed(sorted(CASES).index(name))
    config = {"architecture": architecture, "input_size": 9, "num_classes": 5, **shape}
    if name != "basic":
        config |= {"image_mean": [0.4914, 0.4822, 0.4465], "image_std": [0.2470, 0.2435, 0.2616]}
    model = (VGG(config) if block is None else ResNet(block, config)).double()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.3)
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.3, 1.5)
    # What float32 holds, so that both sides start from the same numbers.
    for tensor in [*model.parameters(), *model.buffers()]:
        if tensor.is_floating_point():
            tensor.data = tensor.data.float().double()
    folder = Path(name)
    folder.mkdir(exist_ok=True)
    weights = {k: v.float() if v.is_floating_point() else v for k, v in model.state_dict().items()}
    save_file({k: v.contiguous().clone() for k, v in weights.items()}, folder / "model.safetensors", {"format": "pt"})
    described = {"_class_name": "ImageClassifier", **config}
    (folder / "config.json").write_text(json.dumps(described, indent=2, sort_keys=True) + "\n")

    sample = (2 * torch.rand(6, config["in_channels"], 9, 9) - 1).double()
    mean, std = (torch.tensor(config.get(f"image_{key}", [0.5])).double().view(1, -1, 1, 1) for key in ("mean", "std"))
    x = ((sample + 1) / 2 - mean) / std
    labels = torch.arange(6) % config["num_classes"]
    with torch.no_grad():
        logits = model.eval()(x)
    trained = model.train()(x)
    nn.functional.cross_entropy(trained, labels, label_smoothing=0.1).backward()
    results = {"sample": sample, "logits": logits, "training_logits": trained.detach()}
    results |= {f"gradient:{k}": p.grad for k, p in model.named_parameters()}
    results |= {f"after:{k}": b for k, b in model.named_buffers() if b.is_floating_point()}
    tensors = {k: v.float().contiguous().clone() for k, v in results.items()}
    save_file(tensors | {"labels": labels}, folder / "io.safetensors")


for name in CASES:
    make(name)

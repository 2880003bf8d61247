"""Features and logits of the bundled feature classifier by PyTorch, in float64: the oracle of FeatureClassifierTests.

    python make.py          (from any folder; remake whenever Samples/models/fashion-features changes)
"""

import gzip
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

here = Path(__file__).resolve().parent
samples = here.parents[2] / "Samples"
model = samples / "models" / "fashion-features"
COUNT = 6

config = json.loads((model / "config.json").read_text())
weights = {name: value.double() for name, value in load_file(model / "model.safetensors").items()}

raw = gzip.decompress((samples / "fashion-mnist" / "t10k-images-idx3-ubyte.gz").read_bytes())
pixels = np.frombuffer(raw, dtype=np.uint8, offset=16).reshape(-1, 28, 28)[:COUNT]
margin = (config["input_size"] - 28) // 2
x = torch.from_numpy(np.pad(pixels, ((0, 0), (margin, margin), (margin, margin)))).double()[:, None] / 127.5 - 1

x = F.silu(F.conv2d(x, weights["stem.weight"], weights["stem.bias"], padding=1))
stages = len(config["widths"])
for index in range(stages):
    stage = f"stages.{index}"
    stride = 2 if index < stages - 1 else 1
    x = F.conv2d(x, weights[f"{stage}.conv.weight"], weights[f"{stage}.conv.bias"], padding=1, stride=stride)
    scale, shift = weights[f"{stage}.norm.weight"], weights[f"{stage}.norm.bias"]
    x = F.silu(F.group_norm(x, config["normalization_groups"], scale, shift, 1e-5))
features = x.mean(dim=(2, 3))
logits = F.linear(features, weights["head.weight"], weights["head.bias"])


def rounded(rows):
    return [[float(f"{value:.9g}") for value in row] for row in rows.tolist()]


result = {"features": rounded(features), "classes": logits.argmax(dim=1).tolist()}
(here / "expected.json").write_text(json.dumps(result) + "\n")

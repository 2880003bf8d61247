"""Features and classes of the bundled feature classifiers by PyTorch, in float64, and Fréchet distances by NumPy: the
oracle of FeatureClassifierTests and ColorFeatureTests.

    python make.py                       (from any folder; remake whenever Samples/models/*-features change)
    python make.py --emoji PICTURES      (makes emoji.png anew from what scripts/make_emoji_pictures.py made)
    python make.py --study PICTURES      (prints the tables of Samples/models/emoji-features/README.md)
    python make.py --icons FOLDER        (the same for other small pictures)
"""

import argparse
import csv
import gzip
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageFilter
from safetensors.torch import load_file

here = Path(__file__).resolve().parent
samples = here.parents[2] / "Samples"
COUNT = 6
SIDE, PER_CLASS = 32, 12


class Net:
    def __init__(self, name):
        folder = samples / "models" / name
        self.config = json.loads((folder / "config.json").read_text())
        self.weights = {k: v.double() for k, v in load_file(folder / "model.safetensors").items()}

    def features(self, pixels):
        """Pictures [N, H, W, C] of 0…255 → [N, features]."""
        w = self.weights
        x = torch.from_numpy(np.asarray(pixels, dtype=np.float64)).permute(0, 3, 1, 2) / 127.5 - 1
        x = F.silu(F.conv2d(x, w["stem.weight"], w["stem.bias"], padding=1))
        stages = len(self.config["widths"])
        for index in range(stages):
            stage = f"stages.{index}"
            stride = 2 if index < stages - 1 else 1
            x = F.conv2d(x, w[f"{stage}.conv.weight"], w[f"{stage}.conv.bias"], padding=1, stride=stride)
            scale, shift = w[f"{stage}.norm.weight"], w[f"{stage}.norm.bias"]
            x = F.silu(F.group_norm(x, self.config["normalization_groups"], scale, shift, 1e-5))
        return x.mean(dim=(2, 3))

    def classes(self, features):
        return F.linear(features, self.weights["head.weight"], self.weights["head.bias"]).argmax(dim=1).tolist()


def frechet(a, b):
    """Of two sets of features, [N, D] each. The trace of the covariances' root is the sum of singular values of the
    centred features' product, so that no covariance is made and no root taken."""
    a, b = (np.asarray(f, dtype=np.float64) for f in (a, b))
    means = ((a.mean(0) - b.mean(0)) ** 2).sum()
    a, b = ((f - f.mean(0)) / np.sqrt(len(f) - 1) for f in (a, b))
    return float(means + (a**2).sum() + (b**2).sum() - 2 * np.linalg.svd(a @ b.T, compute_uv=False).sum())


def rounded(rows):
    return [[float(f"{value:.9g}") for value in row] for row in rows.tolist()]


def write(name, net, pixels, **more):
    features = net.features(pixels[:COUNT])
    result = {"features": rounded(features), "classes": net.classes(features), **more}
    (here / name).write_text(json.dumps(result) + "\n")


def garments(net):
    raw = gzip.decompress((samples / "fashion-mnist" / "t10k-images-idx3-ubyte.gz").read_bytes())
    pixels = np.frombuffer(raw, dtype=np.uint8, offset=16).reshape(-1, 28, 28)[:COUNT]
    margin = (net.config["input_size"] - 28) // 2
    return np.pad(pixels, ((0, 0), (margin, margin), (margin, margin)))[..., None]


def sheet(pictures):
    """A row a class, of test pictures spread over it."""
    classes = sorted(p.name for p in (pictures / "test").iterdir())
    whole = Image.new("RGB", (PER_CLASS * SIDE, len(classes) * SIDE))
    for row, name in enumerate(classes):
        files = sorted((pictures / "test" / name).iterdir())
        for column in range(PER_CLASS):
            picture = Image.open(files[column * len(files) // PER_CLASS])
            whole.paste(picture, (column * SIDE, row * SIDE))
    whole.save(here / "emoji.png", optimize=True)


def emoji():
    """The pictures of emoji.png, row by row."""
    whole = np.asarray(Image.open(here / "emoji.png"))
    rows, columns = whole.shape[0] // SIDE, whole.shape[1] // SIDE
    return whole.reshape(rows, SIDE, columns, SIDE, 3).transpose(0, 2, 1, 3, 4).reshape(-1, SIDE, SIDE, 3)


def distances(net, pixels):
    features = net.features(pixels)
    swapped = net.features(pixels[..., ::-1])
    first, second = PER_CLASS * 4, PER_CLASS * 5
    return {
        "halves": frechet(features[::2], features[1::2]),
        "swapped": frechet(features, swapped),
        "hands to people": frechet(features[first - PER_CLASS : first], features[first:second]),
    }


def study(net, pictures):
    """Of emoji: how well the net tells them, and the distances of sets that share no family."""
    rows = list(csv.DictReader((pictures / "emoji.csv").open()))
    split = np.array([row["file"].split("/")[0] for row in rows])
    pixels = np.stack([np.asarray(Image.open(pictures / row["file"])) for row in rows])
    features = net.features(pixels)
    names = net.config["class_names"]
    labels = np.array([names.index(row["class"]) for row in rows])
    families = [(row["class"], row["family"]) for row in rows]
    kinds = {family: index for index, family in enumerate(dict.fromkeys(families))}
    even = np.array([kinds[family] % 2 == 0 for family in families])
    test = split == "test"

    table = np.zeros((len(names), len(names)), int)
    for label, got in zip(labels[test], net.classes(features[test]), strict=True):
        table[label, got] += 1
    print(f"accuracy {np.trace(table) / table.sum():.4f}")
    for name, row in zip(names, table, strict=True):
        print(f"{name:16}", row)
    print(f"test to train: {frechet(features[test], features[~test]):.3g}")
    for a, b in (("hands", "people"), ("animals", "plants-and-food"), ("faces", "flags"), ("things", "travel")):
        one, two = (features[test & (labels == names.index(name))] for name in (a, b))
        print(f"{a} to {b}: {frechet(one, two):.3g}")
    changed(net, pixels[test & even], pixels[test & ~even])


def icons(net, folder):
    """Of the PNG files of 32×32 below a folder, on white: of every other one to those between."""
    found = [Image.open(path).convert("RGBA") for path in sorted(folder.rglob("*.png"))]
    found = [picture for picture in found if picture.size == (SIDE, SIDE)]
    white = Image.new("RGBA", (SIDE, SIDE), "white")
    pixels = np.stack([np.asarray(Image.alpha_composite(white, picture).convert("RGB")) for picture in found])
    changed(net, pixels[::2], pixels[1::2])


def changed(net, first, second):
    """Distances of pictures to others that are changed in many ways."""
    print(f"of {len(first)} to {len(second)} pictures")
    reference = net.features(first)

    def line(title, changes, reference=reference):
        values = [f"{name} {frechet(reference, net.features(change(second))):.3g}" for name, change in changes]
        print(f"{title}:", ", ".join(values))

    def each(change):
        return lambda x: np.stack([np.asarray(change(Image.fromarray(p))) for p in x])

    def noisy(deviation):
        noise = np.random.default_rng(0).normal(size=second.shape)
        return lambda x: np.clip(np.rint(x + deviation * noise), 0, 255)

    noises = [(s, noisy(s)) for s in (0, 2, 5, 10, 20, 40, 80)]
    line("noise", noises)
    line("noise, to themselves", noises, net.features(second))
    line("blur", [(r, each(lambda p, r=r: p.filter(ImageFilter.GaussianBlur(r)))) for r in (0.5, 1, 2, 4)])
    line("reduced to", [(s, each(lambda p, s=s: shrunk(p, s))) for s in (16, 8, 4)])
    line("to grey", [(f, lambda x, f=f: x + f * (x.mean(-1, keepdims=True) - x)) for f in (0.25, 0.5, 1)])
    line("hue", [(d, each(lambda p, d=d: turned(p, d))) for d in (15, 45, 90, 180)])
    line("colours", [("swapped", lambda x: x[..., ::-1]), ("inverted", lambda x: 255 - x)])
    line("darker", [(d, lambda x, d=d: np.clip(x.astype(int) - d, 0, 255)) for d in (10, 30, 90)])
    line("turned", [("mirrored", lambda x: x[:, :, ::-1]), ("upside down", lambda x: x[:, ::-1])])
    line("in place of it", [("noise", lambda x: np.random.default_rng(1).integers(0, 256, size=x.shape))])


def shrunk(picture, side):
    return picture.resize((side, side), Image.Resampling.BOX).resize(picture.size, Image.Resampling.NEAREST)


def turned(picture, degrees):
    hue, saturation, value = picture.convert("HSV").split()
    hue = hue.point(lambda h: round(h + degrees / 360 * 256) % 256)
    return Image.merge("HSV", (hue, saturation, value)).convert("RGB")


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--emoji", type=Path, metavar="PICTURES")
parser.add_argument("--study", type=Path, metavar="PICTURES")
parser.add_argument("--icons", type=Path, metavar="FOLDER")
options = parser.parse_args()
if options.emoji:
    sheet(options.emoji)
color = Net("emoji-features")
if options.study:
    study(color, options.study)
if options.icons:
    icons(color, options.icons)
if not options.study and not options.icons:
    grey = Net("fashion-features")
    write("expected.json", grey, garments(grey))
    write("emoji.json", color, emoji(), distances=distances(color, emoji()))

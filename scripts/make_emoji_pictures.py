#!/usr/bin/env python3
"""Makes a labelled data set of small RGB pictures, the emoji of Noto Color Emoji: TARGET/train/CLASS/NNNN.png and
TARGET/test/CLASS/NNNN.png, with TARGET/emoji.csv, which says what each picture shows.

    apt-get install fonts-noto-color-emoji unicode-data python3-fonttools python3-pil
    python3 scripts/make_emoji_pictures.py runs/emoji

The font (SIL OFL 1.1) holds bitmaps of 136×128, which are laid on the background, made square and reduced to SIZE×SIZE.
The classes come from the groups of Unicode's emoji-test.txt. Variants of one emoji (a family: its skin tones, genders
and hair, the hours of a clock, the colours of a heart) are all in train or all in test, at most --per-family of them:
test pictures are no near copies of what was learned. The same font gives the same pictures: there is no chance.
"""

import argparse
import csv
import hashlib
import io
import pathlib
import re
import sys
from collections import Counter, defaultdict
from typing import NamedTuple

from fontTools.ttLib import TTFont
from PIL import Image

FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
LIST = "/usr/share/unicode/emoji/emoji-test.txt"

# The first class with a pattern that the start of "group/subgroup" matches.
CLASSES = [
    ("faces", r"Smileys & Emotion/"),
    ("hands", r"People & Body/(hand|body)"),
    ("people", r"People & Body/"),
    ("animals", r"Animals & Nature/animal"),
    ("plants-and-food", r"Animals & Nature/plant|Food & Drink/"),
    ("travel", r"Travel & Places/"),
    ("things", r"Activities/|Objects/"),
    ("symbols", r"Symbols/"),
    ("flags", r"Flags/"),
]

ZERO_WIDTH_JOINER, VARIATION_SELECTOR = 0x200D, 0xFE0F
SKIN_TONES = range(0x1F3FB, 0x1F400)
# What follows a joiner to make another person do the same thing: the gender signs and the kinds of hair.
PERSON_SUFFIXES = {0x2640, 0x2642, *range(0x1F9B0, 0x1F9B4)}
# Boy, girl, man, woman, old man, old woman, child, person, old person.
PERSONS = {*range(0x1F466, 0x1F46A), 0x1F474, 0x1F475, *range(0x1F9D1, 0x1F9D4)}
# Emoji that differ in their hour, phase, size, direction or colour alone.
SERIES = {
    "arrow": {*range(0x2194, 0x219A), 0x27A1, *range(0x2B05, 0x2B08)},
    "clock": {*range(0x1F550, 0x1F568)},
    "moon": {*range(0x1F311, 0x1F319)},
    "heart": {0x2764, 0x1F5A4, 0x1F90D, 0x1F90E, 0x1F9E1, 0x1FA75, 0x1FA76, 0x1FA77, *range(0x1F499, 0x1F49D)},
    "circle": {0x26AA, 0x26AB, 0x1F534, 0x1F535, *range(0x1F7E0, 0x1F7E5)},
    "square": {0x25AA, 0x25AB, *range(0x25FB, 0x25FF), 0x2B1B, 0x2B1C, *range(0x1F7E5, 0x1F7EC)},
    "book": {*range(0x1F4D5, 0x1F4DA)},
    "speaker": {*range(0x1F507, 0x1F50B)},
    "keycap": {ord(c) for c in "0123456789#*"},
}


class Emoji(NamedTuple):
    code_points: tuple[int, ...]
    name: str
    place: str  # "group/subgroup"

    @property
    def label(self):
        return next(index for index, (_, pattern) in enumerate(CLASSES) if re.match(pattern, self.place))

    @property
    def family(self):
        if self.place == "People & Body/family":
            return "family"
        kept = []
        for part in split(self.code_points, ZERO_WIDTH_JOINER):
            part = [c for c in part if c not in SKIN_TONES and c != VARIATION_SELECTOR]
            if not (kept and set(part) <= PERSON_SUFFIXES):
                kept.append("-".join("person" if c in PERSONS else f"{c:X}" for c in part))
        for name, members in SERIES.items():
            if self.code_points[0] in members and len(kept) == 1:
                return name
        return "+".join(kept)


def split(items, separator):
    parts = [[]]
    for item in items:
        if item == separator:
            parts.append([])
        else:
            parts[-1].append(item)
    return parts


def listed(path):
    """The emoji of emoji-test.txt as they are to be written, in its order."""
    group, subgroup = "", ""
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"# (group|subgroup): (.*)", line):
            if heading[1] == "group":
                group = heading[2]
            else:
                subgroup = heading[2]
        elif entry := re.match(r"([0-9A-F ]+?) *; fully-qualified *# \S+ E[\d.]+ (.*)", line):
            yield Emoji(tuple(int(c, 16) for c in entry[1].split()), entry[2], f"{group}/{subgroup}")


class Glyphs:
    """The bitmaps of a font of the CBDT kind, by the code points that they stand for."""

    def __init__(self, path):
        font = TTFont(path)
        missing = [table for table in ("CBDT", "GSUB") if table not in font]
        if missing:
            sys.exit(f"{path}: has no table {' and '.join(missing)}; expected the bitmap build of Noto Color Emoji")
        self.names = font.getBestCmap()
        self.bitmaps = font["CBDT"].strikeData[0]
        self.sequences = {}
        for lookup in font["GSUB"].table.LookupList.Lookup:
            if lookup.LookupType == 4:
                for table in lookup.SubTable:
                    for first, ligatures in table.ligatures.items():
                        for ligature in ligatures:
                            self.sequences.setdefault((first, *ligature.Component), ligature.LigGlyph)

    def png(self, code_points):
        """None where the font has no picture for exactly these."""
        names = tuple(self.names.get(c) for c in code_points if c != VARIATION_SELECTOR)
        glyph = self.bitmaps.get(names[0] if len(names) == 1 else self.sequences.get(names))
        return getattr(glyph, "imageData", None)


def drawn(png, size, background):
    glyph = Image.open(io.BytesIO(png)).convert("RGBA")
    side = max(glyph.size)
    square = Image.new("RGBA", (side, side), (*background, 255))
    square.alpha_composite(glyph, ((side - glyph.width) // 2, (side - glyph.height) // 2))
    return square.convert("RGB").resize((size, size), Image.Resampling.BICUBIC)


def order(text):
    """Spreads names over 0…1, always in the same way."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


def color(text):
    values = tuple(int(v) for v in text.split(","))
    if len(values) != 3 or not all(0 <= v <= 255 for v in values):
        raise argparse.ArgumentTypeError(f"'{text}', expected three numbers in 0…255")
    return values


def positive(text):
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}, expected at least 1")
    return int(text)


def fraction(text):
    if not 0 < float(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}, expected more than 0 and less than 1")
    return float(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=pathlib.Path, help="folder to make; must be new or empty")
    parser.add_argument("--size", type=positive, default=32, help="height and width of the pictures (%(default)s)")
    parser.add_argument("--background", type=color, default=(255, 255, 255), metavar="R,G,B", help="(white)")
    parser.add_argument("--per-family", type=positive, default=6, metavar="N", help="variants taken (%(default)s)")
    parser.add_argument("--test", type=fraction, default=0.2, metavar="F", help="part left for test (%(default)s)")
    parser.add_argument("--font", default=FONT, help="(%(default)s)")
    parser.add_argument("--emoji-list", default=LIST, metavar="FILE", help="(%(default)s)")
    options = parser.parse_args()
    if options.target.exists() and not (options.target.is_dir() and not any(options.target.iterdir())):
        sys.exit(f"{options.target}: is there already; expected a new or empty folder")
    for path, package in ((options.font, "fonts-noto-color-emoji"), (options.emoji_list, "unicode-data")):
        if not pathlib.Path(path).is_file():
            sys.exit(f"{path}: no such file; Debian's package {package} has it")

    glyphs = Glyphs(options.font)
    families = defaultdict(list)
    owner = {}  # of a picture: flags of different places can be the same one
    for emoji in listed(options.emoji_list):
        png = glyphs.png(emoji.code_points)
        if png is None or png in owner:
            continue
        owner[png] = emoji.family
        families[emoji.label, emoji.family].append((emoji, png))
    rows, counts = [], Counter()
    for label, (name, _) in enumerate(CLASSES):
        members = {family: found for (of, family), found in families.items() if of == label}
        # The first of a family is the plain one. The others are a spread, not all skin tones of the first gender.
        for family, found in members.items():
            others = sorted(found[1:], key=lambda entry: order(entry[0].name))
            members[family] = found[:1] + others[: options.per_family - 1]
        wanted = options.test * sum(map(len, members.values()))
        for family in sorted(members, key=order):
            # The split is by families in an order that has nothing to do with their meaning.
            split_name = "test" if counts["test", name] < wanted else "train"
            for emoji, png in members[family]:
                number = counts[split_name, name]
                counts[split_name, name] += 1
                path = pathlib.Path(split_name, name, f"{number:04d}.png")
                (options.target / path).parent.mkdir(parents=True, exist_ok=True)
                drawn(png, options.size, options.background).save(options.target / path, optimize=True)
                points = " ".join(f"{c:X}" for c in emoji.code_points)
                rows.append([path.as_posix(), name, points, emoji.name, emoji.place, family])
    with open(options.target / "emoji.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "class", "code_points", "name", "group", "family"])
        writer.writerows(rows)
    for name, _ in CLASSES:
        print(f"{name:16} train {counts['train', name]:4}  test {counts['test', name]:4}")
    total = {s: sum(n for (of, _), n in counts.items() if of == s) for s in ("train", "test")}
    print(f"{'':16} train {total['train']:4}  test {total['test']:4}")


if __name__ == "__main__":
    main()

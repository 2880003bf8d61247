#!/usr/bin/env python3
"""Makes Samples/fashion-mnist from the full Fashion-MNIST (four .gz files in the IDX format).

The first 200 images of each class of the training split and the first 50 of each class of the test split are kept, in
the order they have there. Standard library only; the output depends on the input (and zlib's version) alone.

    scripts/make_bundled_fashion_mnist.py /usr/share/datasets/fashion-mnist Samples/fashion-mnist
"""

import gzip
import pathlib
import struct
import sys

IMAGES, LABELS = 0x803, 0x801


def read(source, split):
    images = gzip.decompress((source / f"{split}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((source / f"{split}-labels-idx1-ubyte.gz").read_bytes())
    magic, count, height, width = struct.unpack(">4I", images[:16])
    if magic != IMAGES or struct.unpack(">2I", labels[:8]) != (LABELS, count):
        sys.exit(f"{source}: the {split} split is not a pair of IDX files")
    size = height * width
    return [images[16 + i * size : 16 + (i + 1) * size] for i in range(count)], labels[8:], height, width


def write(path, header, body):
    # No time in the header: the same input gives the same file.
    path.write_bytes(gzip.compress(header + body, compresslevel=9, mtime=0))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, target = map(pathlib.Path, sys.argv[1:])
    for split, per_class in (("train", 200), ("t10k", 50)):
        images, labels, height, width = read(source, split)
        taken = [0] * 10
        kept = []
        for index, label in enumerate(labels):
            if taken[label] < per_class:
                taken[label] += 1
                kept.append(index)
        write(
            target / f"{split}-images-idx3-ubyte.gz",
            struct.pack(">4I", IMAGES, len(kept), height, width),
            b"".join(images[i] for i in kept),
        )
        write(
            target / f"{split}-labels-idx1-ubyte.gz",
            struct.pack(">2I", LABELS, len(kept)),
            bytes(labels[i] for i in kept),
        )


if __name__ == "__main__":
    main()

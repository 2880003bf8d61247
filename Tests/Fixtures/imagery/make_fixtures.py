#!/usr/bin/env python3
"""Makes the fixtures of ImageryTests. Needs Pillow and NumPy (made with 13.0.0 and 2.4.6).

JPEGs are written and read by Pillow, whose pixels are kept beside them as PNGs.

Every PNG colour type is written here, by a few lines over zlib, so that the pixel values expected of it are known
without any decoder; where Pillow reads the type right, it must agree. Resized images are Pillow's.
"""

import gzip
import io
import json
import pathlib
import struct
import zlib

import numpy
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).parent
WIDTH, HEIGHT = 9, 7
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
random = numpy.random.default_rng(20)


def chunk(kind, body, crc_off=0):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body) ^ crc_off)


def pack_rows(samples, depth):
    """Filter byte 0 and the packed samples of each row."""
    out = b""
    for row in samples:
        bits = "".join(format(int(v), f"0{depth}b") for v in row.reshape(-1))
        bits += "0" * (-len(bits) % 8)
        out += b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    return out


def png(samples, depth, colour, plte=b"", trns=b"", interlaced=False, extra=b""):
    height, width = samples.shape[:2]
    if interlaced:
        passes = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7]
        body = b"".join(pack_rows(p, depth) for p in passes if p.size)
    else:
        body = pack_rows(samples, depth)
    data = b"\x89PNG\r\n\x1a\n"
    data += chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced)))
    data += chunk(b"PLTE", plte) if plte else b""
    data += chunk(b"tRNS", trns) if trns else b""
    data += extra + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")
    return data


def draw(colour, depth, below=None):
    return random.integers(0, below or 2**depth, (HEIGHT, WIDTH, SAMPLES[colour]))


def to_8_bits(samples, depth):
    # Round to nearest of v * 255 / (2^depth - 1); never half-way, the divisor being odd.
    top = 2**depth - 1
    return (samples * 255 * 2 + top) // (2 * top)


def expected_pixels(samples, depth, colour, plte=b"", trns=b""):
    """What the reader should give: 1, 3 or 4 channels."""
    if colour == PALETTE:
        table = numpy.array(list(plte)).reshape(-1, 3)
        alpha = numpy.array(list(trns) + [255] * (len(table) - len(trns))).reshape(-1, 1)
        index = samples[:, :, 0]
        return numpy.concatenate([table, alpha], 1)[index] if trns else table[index]
    eight = to_8_bits(samples, depth)
    if trns:
        key = struct.unpack(f">{SAMPLES[colour]}H", trns)
        opaque = numpy.any(samples != numpy.array(key), axis=2, keepdims=True)
        eight = numpy.concatenate([eight, opaque * 255], 2)
    if eight.shape[2] == 2:
        eight = eight[:, :, [0, 0, 0, 1]]
    return eight


def good_pngs():
    expected = {}
    palette = bytes(random.integers(0, 256, 16 * 3).tolist())
    for interlaced in (False, True):
        suffix = "-interlaced" if interlaced else ""
        for name, colour, depths in (
            ("grey", GREY, (1, 2, 4, 8, 16)),
            ("rgb", RGB, (8, 16)),
            ("palette", PALETTE, (1, 2, 4, 8)),
            ("grey-alpha", GREY_ALPHA, (8, 16)),
            ("rgba", RGBA, (8, 16)),
        ):
            for depth in depths:
                for transparent in (False, True):
                    if transparent and colour in (GREY_ALPHA, RGBA):
                        continue
                    plte = palette[: 3 * min(2**depth, 16)] if colour == PALETTE else b""
                    samples = draw(colour, depth, min(2**depth, 16) if plte else None)
                    trns = b""
                    if transparent:
                        key = samples[3, 4].tolist()
                        trns = bytes([0, 99]) if plte else struct.pack(f">{len(key)}H", *key)
                    full = f"{name}-{depth}{'-trns' if transparent else ''}{suffix}.png"
                    data = png(samples, depth, colour, plte, trns, interlaced)
                    (HERE / "png" / full).write_bytes(data)
                    pixels = expected_pixels(samples, depth, colour, plte, trns)
                    # Pillow drops the low bytes of 16 bits and compares the transparent grey of 2 and 4 bits unscaled.
                    if depth != 16 and not (trns and colour == GREY and depth < 8):
                        check_against_pillow(HERE / "png" / full, pixels)
                    expected[full] = {
                        "width": WIDTH,
                        "height": HEIGHT,
                        "channels": pixels.shape[2],
                        "pixels": pixels.reshape(-1).tolist(),
                    }
    lines = [f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in expected.items()]
    (HERE / "png" / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def check_against_pillow(path, pixels):
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[pixels.shape[2]]
    read = numpy.asarray(Image.open(path).convert(mode)).reshape(pixels.shape)
    assert numpy.array_equal(read, pixels), path


def bad_pngs():
    grey = draw(GREY, 8)
    good = png(grey, 8, GREY)

    def save(name, data):
        (HERE / "png-bad" / f"{name}.png").write_bytes(data)

    def header(width, height):
        body = struct.pack(">IIBBBBB", width, height, 8, GREY, 0, 0, 0)
        return good[:8] + chunk(b"IHDR", body) + good[33:]

    save("text-checksum", png(grey, 8, GREY, extra=chunk(b"tEXt", b"Comment\0hello", crc_off=1)))
    save("palette-index", png(draw(PALETTE, 4, 16), 4, PALETTE, plte=bytes(range(9))))
    save("no-palette", png(draw(PALETTE, 4, 16), 4, PALETTE))
    save("too-wide", header(40_000, 7))
    save("too-many-pixels", header(30_000, 30_000))
    save("no-width", header(0, 7))
    save("too-few-rows", header(WIDTH, HEIGHT + 1))
    save("no-end", good[:-12])
    save("not-a-png", b"GIF89a" + good[6:])
    save("empty", b"")


def resized():
    def save(name, shape, size):
        # Smooth with some noise, so that rounding is tried at many values.
        y, x = numpy.mgrid[: shape[0], : shape[1]]
        planes = [127 + 80 * numpy.sin((x + 2 * c) / 3) * numpy.cos(y / (2 + c)) for c in range(shape[2])]
        pixels = numpy.clip(numpy.stack(planes, 2) + random.integers(-40, 40, shape), 0, 255).astype(numpy.uint8)
        image = Image.fromarray(pixels[:, :, 0] if shape[2] == 1 else pixels)
        image.save(HERE / "resize" / f"{name}-in.png")
        image.resize(size, Image.Resampling.BILINEAR).save(HERE / "resize" / f"{name}-out.png")

    save("grey-shrink", (28, 28, 1), (20, 20))
    save("rgb-mixed", (23, 17, 3), (32, 9))
    save("rgb-grow", (8, 8, 3), (12, 13))
    save("rgb-far", (40, 50, 3), (5, 4))
    save("rgba-shrink", (12, 12, 4), (7, 7))


def idx():
    images = random.integers(0, 256, (6, 4, 5), dtype=numpy.uint8)
    labels = bytes([3, 0, 1, 2, 3, 1])
    header = struct.pack(">4I", 0x803, *images.shape)
    packed = gzip.compress(header + images.tobytes(), mtime=0)
    (HERE / "idx" / "train-images-idx3-ubyte.gz").write_bytes(packed)
    (HERE / "idx" / "train-labels-idx1-ubyte.gz").write_bytes(
        gzip.compress(struct.pack(">2I", 0x801, 6) + labels, mtime=0)
    )
    # The same images in two gzip members, without labels beside them: a test split.
    whole = header + images.tobytes()
    (HERE / "idx" / "t10k-images-idx3-ubyte.gz").write_bytes(
        gzip.compress(whole[:50], mtime=0) + gzip.compress(whole[50:], mtime=0)
    )
    (HERE / "idx" / "expected.json").write_text(
        json.dumps({"pixels": images.reshape(-1).tolist(), "labels": list(labels)}) + "\n"
    )


def jpegs():
    draws = numpy.random.default_rng(21)

    def picture(height, width, channels):
        y, x = numpy.mgrid[:height, :width]
        planes = [127 + 100 * numpy.sin((x + 5 * c) / 4) * numpy.cos(y / (3 + c)) for c in range(channels)]
        noise = draws.integers(-60, 60, (height, width, channels))
        pixels = numpy.clip(numpy.stack(planes, 2) + noise, 0, 255).astype(numpy.uint8)
        return Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels, {1: "L", 3: "RGB", 4: "CMYK"}[channels])

    def keep(name, data):
        (HERE / "jpeg" / f"{name}.jpg").write_bytes(data)
        read = Image.open(io.BytesIO(data))
        read.load()
        # As the library datasets does, by which diffusers' scripts read folders.
        read = ImageOps.exif_transpose(read)
        (read.convert("RGB") if read.mode == "CMYK" else read).save(HERE / "jpeg" / f"{name}.png")

    def encoded(image, **options):
        file = io.BytesIO()
        image.save(file, "JPEG", **options)
        return file.getvalue()

    def patched(data, marker, offset, value):
        """With the byte `offset` behind a marker's length changed."""
        place = data.index(bytes([0xFF, marker])) + 4 + offset
        return data[:place] + bytes([value]) + data[place + 1 :]

    odd = picture(29, 37, 3)
    for sampling in ("4:4:4", "4:2:2", "4:2:0"):
        for quality in (30, 75, 95):
            name = f"rgb-{sampling.replace(':', '')}-{quality}"
            keep(name, encoded(odd, quality=quality, subsampling=sampling))
        keep(f"progressive-{sampling.replace(':', '')}", encoded(odd, subsampling=sampling, progressive=True))
    keep("grey", encoded(picture(29, 37, 1)))
    keep("grey-progressive", encoded(picture(29, 37, 1), progressive=True))
    keep("one-pixel", encoded(picture(1, 1, 3)))
    keep("narrow", encoded(picture(40, 3, 3), subsampling="4:2:0"))
    keep("optimized", encoded(odd, optimize=True))
    keep("restarts", encoded(odd, restart_marker_blocks=2))
    keep("stored-as-rgb", encoded(odd, keep_rgb=True))
    square = picture(32, 32, 3)
    # As many blocks either way: chroma halved across is read as halved down.
    keep("rgb-440", patched(encoded(square, subsampling="4:2:2"), 0xC0, 7, 0x12))
    inks = encoded(picture(29, 37, 4))
    keep("cmyk", inks)
    # The transform in Adobe's segment: luma and chroma of the inks.
    keep("ycck", patched(inks, 0xEE, 11, 2))
    small = picture(9, 14, 3)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        keep(f"orientation-{orientation}", encoded(small, subsampling="4:4:4", exif=exif))
    exif = Image.Exif()
    exif.endian = "<"
    exif[0x0112] = 6
    keep("orientation-little-endian", encoded(small, subsampling="4:4:4", exif=exif))
    keep("with-text-behind", encoded(small) + b"what a camera puts after the end")

    def spoil(name, data):
        (HERE / "jpeg-bad" / f"{name}.jpg").write_bytes(data)

    def sized(data, height, width):
        for offset, value in enumerate(struct.pack(">HH", height, width)):
            data = patched(data, 0xC0, 1 + offset, value)
        return data

    good = encoded(small)
    spoil("no-end", good[:-2])
    spoil("half", good[: len(good) // 2])
    spoil("header-only", good[: good.index(b"\xff\xda")])
    spoil("too-wide", sized(good, 7, 40_000))
    spoil("too-many-pixels", sized(good, 30_000, 30_000))
    spoil("too-short", sized(good, 8_000, 8_000))
    spoil("no-width", sized(good, 9, 0))
    spoil("more-rows", sized(good, 900, 14))
    spoil("12-bits", patched(good, 0xC0, 0, 12))
    spoil("2-components", patched(patched(encoded(square), 0xC0, 5, 2), 0xDA, 0, 2))
    spoil("garbage", good[:-40] + bytes(draws.integers(0, 255, 38).tolist()) + good[-2:])
    spoil("not-a-jpeg", b"no picture")
    (HERE / "jpeg-bad" / "webp.jpg").write_bytes(b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\0\0\0")


if __name__ == "__main__":
    for folder in ("png", "png-bad", "resize", "idx", "jpeg", "jpeg-bad"):
        (HERE / folder).mkdir(exist_ok=True)
    good_pngs()
    bad_pngs()
    resized()
    idx()
    jpegs()

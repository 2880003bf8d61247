"""Makes the fixtures of StorageTests. Needs: pip install safetensors==0.8.0 numpy. Run it in this folder."""
import json
import struct
import sys

import numpy as np
import safetensors
from safetensors.numpy import save_file

# Every element type, with the values that are easy to get wrong. Bytes are given, so that NaN payloads stay.
half = struct.pack("<8H", 0x0000, 0x8000, 0x0001, 0x83FF, 0x3C00, 0x7BFF, 0xFC00, 0x7E01)
bfloat = struct.pack("<6H", 0x3F80, 0xC049, 0x0001, 0x7F80, 0xFF80, 0x7FC1)
tensors = {
    "f64": ("float64", [3], struct.pack("<3d", 0.1, -1e300, 1.5)),
    "f32": ("float32", [2, 2], struct.pack("<4f", 1.5, -0.0, 1e-45, 3.4e38)),
    "f16": ("float16", [2, 4], half),
    "bf16": ("bfloat16", [6], bfloat),
    "i64": ("int64", [2], struct.pack("<2q", -(2**63), 2**63 - 1)),
    "i32": ("int32", [2], struct.pack("<2i", -(2**31), 2**31 - 1)),
    "i16": ("int16", [2], struct.pack("<2h", -(2**15), 2**15 - 1)),
    "i8": ("int8", [3], struct.pack("<3b", -128, 0, 127)),
    "u8": ("uint8", [2], bytes([0, 255])),
    "bool": ("bool", [3], bytes([1, 0, 1])),
    "scalar": ("float32", [], struct.pack("<f", 2.25)),
    "empty": ("float32", [0, 7], b""),
}
buffers = {name: np.frombuffer(data, np.uint8) for name, (_, _, data) in tensors.items()}  # keeps the pointers alive
specs = {
    name: safetensors.TensorSpec(dtype=dtype, shape=shape, data_ptr=buffers[name].ctypes.data, data_len=len(data))
    for name, (dtype, shape, data) in tensors.items()
}
with open("all_types.safetensors", "wb") as f:
    f.write(safetensors.serialize(specs, {"note": 'naïve "test"'}))

# What SafetensorsTests writes again from Swift, to the byte.
golden = {
    "conv.weight": np.arange(12, dtype=np.float32).reshape(3, 2, 2) / np.float32(8) - np.float32(0.5),
    "conv.bias": np.array([1e-7, -3.25, 65504.0], np.float32),
    "labels": np.array([3, -1, 2**62], np.int64),
    "a.counter": np.array([7], np.int64),
    "übung\"\\\x7f": np.zeros((0,), np.float32),
}
save_file(golden, "golden.safetensors", {"format": "pt"})

# A sharded model.
shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
save_file({"a": np.array([1, 2], np.float32), "b": np.array([3], np.float32)}, shards[0], {"format": "pt"})
save_file({"c": np.array([4, 5, 6], np.float32)}, shards[1], {"format": "pt"})
index = {"metadata": {"total_size": 24}, "weight_map": {name: shards[name == "c"] for name in "abc"}}
with open("model.safetensors.index.json", "w") as f:
    f.write(json.dumps(index, indent=2, sort_keys=True) + "\n")

# A configuration as diffusers writes one (`json.dumps(…, indent=2, sort_keys=True)` and a newline), and its pitfalls.
config = {
    "_class_name": "UNet2DModel", "_diffusers_version": "0.29.2", "act_fn": "silu", "add_attention": True,
    "attention_head_dim": None, "block_out_channels": [128, 256, 256, 256], "center_input_sample": False,
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D"], "dropout": 0.0, "empty_list": [], "empty_object": {},
    "beta_end": 0.02, "beta_start": 0.0001, "freq_shift": 1, "norm_eps": 1e-06, "nested": [{"b": [1, [2.0]], "a": -1}],
    "text": "quote \" slash / backslash \\ tab \t newline \n bell \x07 delete \x7f é 漢 😀", "Z": 1, "é": 2, "z": 3,
}
with open("config.json", "w") as f:
    f.write(json.dumps(config, indent=2, sort_keys=True) + "\n")

# Doubles by bit pattern and Python's repr.
rng = np.random.default_rng(1)
values = [0.0, -0.0, 1.0, -1.0, 0.1, 1e-4, 9.999e-5, 1e-5, 1.5e-7, 123456789.125, 1e15, 1e16, 1e17, 9007199254740993.0,
          2.0**53, 2.0**54, 2.0**63, 1234567890123456.7, 12345678901234567.0, 1e22, 1e23, 1e100, 5e-324,
          2.2250738585072014e-308, sys.float_info.max, 100.0, 1e2 + 1e-12, 3e-310]
values += list(np.frombuffer(rng.bytes(8 * 400), np.float64)) + list(10.0 ** rng.uniform(-8, 20, 200))
with open("python_floats.txt", "w") as f:
    for value in values:
        value = float(value)
        if np.isfinite(value):
            f.write(f"{struct.unpack('<Q', struct.pack('<d', value))[0]:016x} {value!r}\n")

"""Reads and writes safetensors files with torch only: a little-endian u64 header length, a JSON header, the data."""
import array
import json
import math
import struct

import torch

FORMATS = {"F64": (torch.float64, "d"), "F32": (torch.float32, "f"),
           "I64": (torch.int64, "q"), "U8": (torch.uint8, "B")}
NAMES = {dtype: name for name, (dtype, _) in FORMATS.items()}


def write(path, tensors, metadata):
    header, body = {"__metadata__": metadata}, b""
    for name in sorted(tensors, key=lambda name: (-tensors[name].element_size(), name)):  # widest first: aligned
        tensor = tensors[name].detach().contiguous()
        numbers = array.array(FORMATS[NAMES[tensor.dtype]][1], tensor.flatten().tolist()).tobytes()
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [len(body), len(body) + len(numbers)]}
        body += numbers
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def read(path):
    data = path.read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        dtype, code = FORMATS[entry["dtype"]]
        begin, end = entry["data_offsets"]
        numbers = array.array(code, data[start + begin:start + end])
        assert len(numbers) == math.prod(entry["shape"]), f"{path}: {name}: size of the data does not match the shape"
        tensors[name] = torch.tensor(numbers.tolist(), dtype=dtype).view(entry["shape"])
    return tensors

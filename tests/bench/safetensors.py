"""Read safetensors files: a length, a JSON header that places each tensor, and the bytes."""
import json

import numpy

TYPES = {"F32": "<f4", "F64": "<f8", "I64": "<i8"}


def read(path):
    """Return {name: array} and the file's metadata."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        body = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = numpy.frombuffer(body[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"]).copy()
    return tensors, metadata

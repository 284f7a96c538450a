"""Writes reference.safetensors to this folder with the reference implementation.

Needs: pip install safetensors numpy (made with safetensors 0.8.0, numpy 2.4). safetensors_test.cpp contains the expected values.
"""
import pathlib

import numpy
from safetensors.numpy import save_file

tensors = {
    "double": numpy.array([0.5, -2.0], numpy.float64),
    "single": numpy.arange(6, dtype=numpy.float32).reshape(2, 3),
    "half": numpy.array([1.0, 65504.0], numpy.float16),
    "long": numpy.array([[-(2**63)], [2**63 - 1]], numpy.int64),
    "int": numpy.array([-1, 7], numpy.int32),
    "byte": numpy.array([0, 255, 3], numpy.uint8),
    "bool": numpy.array([True, False, True]),
    "scalar": numpy.array(1.5, numpy.float32),
    "empty": numpy.zeros((0, 4), numpy.float32),
    "grüße": numpy.array([1], numpy.uint8),
}
save_file(tensors, pathlib.Path(__file__).with_name("reference.safetensors"), {"format": "np", "quote": 'a "b"\n'})

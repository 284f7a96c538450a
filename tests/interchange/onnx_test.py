#!/usr/bin/env python3
"""onnx_test.py WRITE_CASES: compares exported networks in onnxruntime with the C++ forward pass, for every network of the
table with random weights. Needs the Python of scripts/python-tools."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy
import onnx
import onnxruntime

WRITE_CASES = sys.argv.pop(1)


def read_tensors(path):
    """The tensors of a safetensors file, as numpy arrays."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    types = {"F32": numpy.float32, "U8": numpy.uint8}
    return {name: numpy.frombuffer(data[start + entry["data_offsets"][0]:start + entry["data_offsets"][1]],
                                   types[entry["dtype"]]).reshape(entry["shape"]) for name, entry in header.items()}


def run(path, image):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(["probabilities", "unknown_score"], {"image": image})


class NetworksMatch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        subprocess.run([WRITE_CASES, cls.folder], check=True)

    def test_every_network(self):
        cases = sorted(self.folder.glob("*.onnx"))
        self.assertGreater(len(cases), 40)
        for path in cases:
            with self.subTest(path.stem):
                onnx.checker.check_model(onnx.load(path), full_check=True)
                expected = read_tensors(path.with_suffix(".safetensors"))
                probabilities, scores = run(path, expected["image"])
                difference = abs(probabilities - expected["probabilities"]).max()
                of_scores = abs(scores - expected["unknown_score"]).max()
                spread = expected["probabilities"].max(axis=0) - expected["probabilities"].min(axis=0)
                print(f"{path.stem:24} {difference:.1e} {of_scores:.1e}  spread {spread.max():.3f}", flush=True)
                self.assertLess(difference, 1e-4)
                self.assertLess(of_scores, 1e-4 * max(1, abs(expected["unknown_score"]).max()))
                self.assertGreater(spread.max(), 0.01, "the outputs hardly depend on the image")


if __name__ == "__main__":
    unittest.main()

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


def session_of(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class ExportedGraphs(unittest.TestCase):
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
                outputs = ["probabilities", "unknown_score"]
                probabilities, scores = session_of(path).run(outputs, {"image": expected["image"]})
                difference = abs(probabilities - expected["probabilities"]).max()
                of_scores = abs(scores - expected["unknown_score"]).max()
                spread = expected["probabilities"].max(axis=0) - expected["probabilities"].min(axis=0)
                print(f"{path.stem:24} {difference:.1e} {of_scores:.1e}  spread {spread.max():.3f}", flush=True)
                self.assertLess(difference, 1e-4)
                self.assertLess(of_scores, 3e-4 * max(1, abs(expected["unknown_score"]).max()))
                self.assertGreater(spread.max(), 0.01, "the outputs hardly depend on the image")

    def test_resizing(self):
        """Differences are in units of 1/255. Images of the right size stay the same."""
        for path in sorted((self.folder / "resize").glob("*.onnx")):
            onnx.checker.check_model(onnx.load(path), full_check=True)
            session, tensors = session_of(path), read_tensors(path.with_suffix(".safetensors"))
            sizes = [name.split()[1] for name in tensors if name.startswith("image ")]
            self.assertEqual(len(sizes), 6)
            for size in sizes:
                found = session.run(["pixels"], {"image": tensors["image " + size]})[0].transpose(0, 2, 3, 1)
                expected = tensors["pixels " + size]
                difference = abs((found.astype(float) + 1) * 127.5 - expected).max()
                print(f"{path.stem} {size:10} {difference:.1e}", flush=True)
                self.assertLess(difference, 2e-4)
                if size == "32x32" and path.stem == "channels-3":
                    numpy.testing.assert_array_equal(found, expected / numpy.float32(127.5) - numpy.float32(1))


if __name__ == "__main__":
    unittest.main()
